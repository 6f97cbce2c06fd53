"""Credentials: issuers' forms fire, placeholders do not. Every credential here is made up for the test."""

from __future__ import annotations

import base64
import json
import time

import pytest

from litellm_fusion.signals.secrets import kinds

MIXED = "q7Rt2Yx9Kp4Lm8Zw3Vb6Nc1Hd5Jf0Sg7Qa2Ws4Ed6Rf8Tg1Yh3Uj5Ik"


def token(size: int) -> str:
    return (MIXED * 4)[:size]


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


JWT = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{segment({'sub': 'someone', 'n': 1})}.{token(43)}"
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{token(64)}\n{token(40)}\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("AKIA" + "QZ7X3V5MNB4K6J2T", "aws_access_key"),
        ("ghp_" + token(36), "github_token"),
        ("github_pat_" + token(22) + "_" + token(59), "github_token"),
        ("glpat-" + token(20), "gitlab_token"),
        ("xoxb-839201746552-" + token(24), "slack_token"),
        ("sk_live_" + token(24), "stripe_key"),
        ("sk-ant-api03-" + token(48), "anthropic_key"),
        ("sk-proj-" + token(48), "openai_key"),
        ("sk-" + token(48), "openai_key"),
        ("AIza" + token(35), "google_api_key"),
        ("hf_" + token(34), "huggingface_token"),
        ("npm_" + token(36), "npm_token"),
        ("SG." + token(22) + "." + token(43), "sendgrid_key"),
        (f"Bearer {JWT}", "jwt"),
        (PEM, "private_key"),
        (PEM.replace("\n", "\\n"), "private_key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n" + token(70), "private_key"),
        ("postgres://app:Tr0ub4dor@db.internal:5432/x", "connection_string"),
        ("mongodb+srv://app:h8Kq2mZp@cluster0.mongodb.net", "connection_string"),
        ('password = "Tr0ub4dor&3x"', "password"),
        ("password: kX9#mP2$vL7q", "password"),
        ("my password is kX9mP2vL7q", "password"),
        ("API_KEY=9f8e7d6c5b4a39281706f5e4d3c2b1a0", "password"),
        ("aws_secret_access_key = " + token(40), "password"),
        ('"client_secret": "' + token(24) + '"', "password"),
        ("Passwort: kX9mP2vL7q", "password"),
        ("密码：kX9mP2vL7q", "password"),
    ],
)
def test_credential_is_found(text: str, kind: str) -> None:
    assert kinds(f"before {text} after") == (kind,)


@pytest.mark.parametrize(
    "text",
    [
        "sk-...", "sk-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "sk-1234", "sk-your-api-key-goes-right-here-1234567890",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "ghp_" + "a1" * 18, "ghp_short", "AIza...", "sk_test_" + token(24),
        "sk-learn-pipeline",
        "task-oriented-dialogue-systems-2024-survey", "YOUR_API_KEY", "api_key = YOUR_API_KEY", "api_key: <your key>",
        "password=<password>",
        "password: changeme", "password = ${DB_PASSWORD}", "password={{ secret }}", "password: ********",
        "password = xxxxxxxx1",
        "password=os.environ['DB_PASSWORD1']", "api_key=os.environ/OPENAI_API_KEY", "token = process.env.TOKEN1",
        "password = settings.DB_PASS1",
        "password = getpass.getpass()", "secret = MY_SECRET_V2", "max_tokens: 4096000000", "token: 12345678",
        "password: 1234",
        "password is required", "the secret is patience", "password: correcthorsebatterystaple", "password_hash",
        "tokens are 4 characters",
        "eyJhbGciOi...", f"eyJ{token(20)}.{token(20)}.{token(30)}",
        f"{segment({'typ': 'JWT'})}.{segment({'a': 1})}.{token(43)}",
        "-----BEGIN PUBLIC KEY-----\n" + token(64),
        "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----",
        "postgres://user:password@localhost/db", "postgres://user:<password>@host/db", "postgres://user:${PW}@host/db",
        "redis://app:app@cache",
        "https://example.com:8080/path@x", "d41d8cd98f00b204e9800998ecf8427e", "550e8400-e29b-41d4-a716-446655440000",
        "How do I rotate an API key and a password safely?",
    ],
)  # fmt: skip
def test_placeholder_or_look_alike_is_no_credential(text: str) -> None:
    assert kinds(text) == ()


def test_kinds_never_hold_the_credential() -> None:
    found = kinds(f"{PEM} {JWT} sk-{token(48)}")
    assert found == ("jwt", "openai_key", "private_key")


@pytest.mark.parametrize("size", [7, 8])
def test_password_counts_from_eight_characters(size: int) -> None:
    assert kinds(f"password={'kX9mP2vL7q'[:size]}") == (("password",) if size == 8 else ())


@pytest.mark.parametrize(
    "piece",
    ["sk-", "eyJ", "eyJa.", "password=", "password", "://", "://a:", "a:b@", "-----BEGIN ",
    "-----BEGIN A PRIVATE KEY-----", "ghp_a1", "SG.", "AKIA",
     "token=", "secret_access_key_", "A", "İ"],
)  # fmt: skip
def test_adversarial_text_is_read_in_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = (piece * size)[:size] + "x"
        start = time.perf_counter()
        kinds(text)
        return time.perf_counter() - start

    seconds(1000)
    assert seconds(200_000) < 40 * seconds(20_000) + 1.0
