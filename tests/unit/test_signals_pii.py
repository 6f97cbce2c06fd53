"""Personal data: what fires, and the look-alikes that must not. Numbers are published samples or computed here."""

# ruff: noqa: RUF001 - users write in full-width signs too
from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from litellm_fusion.signals import checksums
from litellm_fusion.signals.context import CONTEXT_CHARS
from litellm_fusion.signals.pii import kinds


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("write to jane.doe@firma.de today", "email"),
        ("mailto:jane+tag@sub.firma.co.uk", "email"),
        ("<jürgen.groß@firma.de>", "email"),
        ("ask jane.doe@example.com", "email"),
        ("https://x.org/?mail=jane@firma.de", "email"),
        ("メール：taro＠kaisha.jp", "email"),
        ("call +49 170 1234567", "phone"),
        ("+1 (415) 555-2671", "phone"),
        ("+14155552671", "phone"),
        ("my office, 415-555-2671, is open", "phone"),
        ("(415) 555-2671", "phone"),
        ("Telefon: 0170 1234567", "phone"),
        ("Tél. 06 12 34 56 78", "phone"),
        ("我的手机是13812345678", "phone"),
        ("電話は０９０－１２３４－５６７８です", "phone"),
        ("the client ip is 84.23.11.9", "ip_address"),
        ("card 4111 1111 1111 1111 exp 12/29", "credit_card"),
        ("4111111111111111", "credit_card"),
        ("5500-0055-5555-5559", "credit_card"),
        ("378282246310005", "credit_card"),
        ("3782 822463 10005", "credit_card"),
        ("DE89 3704 0044 0532 0130 00", "iban"),
        ("IBAN DE89370400440532013000.", "iban"),
        ("GB29 NWBK 6016 1331 9268 19 BIC NWBKGB2L", "iban"),
        ("NL91ABNA0417164300", "iban"),
        ("her number is 536-90-4399", "us_ssn"),
        ("SSN 536904399", "us_ssn"),
        ("Steuer-ID 86 095 742 719", "de_tax_id"),
        ("Meine Identifikationsnummer ist 86095742719", "de_tax_id"),
        ("DNI 12345678Z", "es_dni"),
        ("NIE X1234567L", "es_dni"),
        ("X-1234567-L", "es_dni"),
        ("1 85 05 78 006 084 91", "fr_nir"),
        ("NHS number 943 476 5919", "uk_nhs"),
        ("CPF 529.982.247-25", "br_cpf"),
        ("cpf: 52998224725", "br_cpf"),
        ("11.222.333/0001-81", "br_cnpj"),
        ("Aadhaar 2341 2341 2346", "in_aadhaar"),
        ("BSN 111222333", "nl_bsn"),
        ("PESEL 44051401359", "pl_pesel"),
        ("11010519491231002X", "cn_id"),
        ("AHV 756.9217.0769.85", "ch_ahv"),
        ("codice fiscale RSSMRA85T10A562S", "it_fiscal_code"),
    ],
)
def test_personal_data_is_found(text: str, kind: str) -> None:
    assert kind in kinds(text)


@pytest.mark.parametrize(
    "text",
    [
        "user@example.com", "you@example.org", "noreply@firma.de", "git@github.com:owner/name.git", "root@localhost",
        "admin@printer.local", "icon@2x.png", "lodash@4.17.21", "@user@mastodon.social",
        "postgres://admin:secret@db.firma.de/x", "foo@bar.com", "a @ b", "@app.route", "x@y",
        "order 4111111111111111", "tracking number 4111 1111 1111 1111", "4111 1111 1111 1112", "0.4111111111111111",
        "1234567812345670", "abc4111111111111111", "4111111111111111f", "411111111111111", "1700000000000",
        "550e8400-e29b-41d4-a716-446655440000", "d41d8cd98f00b204e9800998ecf8427e", "2024-01-15T10:30:00.000Z",
        "ISBN 978-3-16-148410-0", "ISBN 0-306-40615-2", "version 10.0.19041.1415", "v1.2.3.4", "1Z999AA10123456784",
        "9400 1000 0000 0000 0000 00", "const LIMIT = 5551234567;", "x = 415 - 555 - 2671", "timeout=4155552671",
        "1,234,567,890",
        "order number 302-555-1234", "part 123-45-6789", "000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567",
        "86095742719", "Steuer-ID 86095742718", "12345678A", "X1234567A", "1 85 05 78 006 084 92", "9434765919",
        "NHS 9434765918", "529.982.247-26", "52998224725", "111.111.111-11", "11.222.333/0001-82", "234123412346",
        "Aadhaar 2341 2341 2347", "111222333", "BSN 111222334", "44051401359", "110105194912310021",
        "11010519491331002X",
        "756.9217.0769.86", "RSSMRA85T10A562T", "DE89370400440532013001", "DE8937040044053201300",
        "DE893704004405320130000",
        "XX89370400440532013000", "de-89-section-4.2", "the client ip is 127.0.0.1", "server ip 192.168.1.10",
        "ip 203.0.113.5", "ip 8.8.8.8", "84.23.11.9", "ip 999.1.1.1", "Telefon: 2024-01-15", "phone 1234",
        "+1234567890", "the phone has 12 MP and costs 999", "row 12 34 56 78 90 12 34",
    ],
)  # fmt: skip
def test_look_alike_is_no_personal_data(text: str) -> None:
    assert kinds(text) == ()


@pytest.mark.parametrize(
    ("number", "word", "kind"),
    [("111222333", "BSN", "nl_bsn"), ("9434765919", "NHS", "uk_nhs"), ("030 9012345", "Telefon", "phone")],
)
def test_word_for_a_number_counts_within_forty_characters_and_no_farther(number: str, word: str, kind: str) -> None:
    gap = " " * (CONTEXT_CHARS - len(word))
    assert kinds(f"{word}{gap}{number}") == (kind,)
    assert kinds(f"{number}{gap}{word}") == (kind,)
    assert kinds(f"{word}{gap} {number}") == ()
    assert kinds(f"{number}{gap} {word}") == ()


def test_word_for_the_kind_outvotes_a_word_for_another_number() -> None:
    assert kinds("order 4111111111111111") == ()
    assert kinds("order paid by card 4111111111111111") == ("credit_card",)


def test_number_is_found_among_others_on_its_line() -> None:
    assert "credit_card" in kinds("12 4111 1111 1111 1111 123")
    assert "us_ssn" in kinds("17 2024-01-01 536-90-4399 12")


def test_kinds_are_listed_once_in_alphabetical_order() -> None:
    assert kinds("b@firma.de a@firma.de DE89370400440532013000 b@firma.de") == ("email", "iban")


def luhn_digit(body: str) -> str:
    return next(d for d in "0123456789" if checksums.luhn(body + d))


@given(st.text(alphabet="0123456789", min_size=14, max_size=14))
def test_one_check_digit_in_ten_makes_a_card(body: str) -> None:
    body = f"4{body}"
    valid = [d for d in "0123456789" if checksums.card(body + d)]
    assert valid == [luhn_digit(body)]


@given(st.text(alphabet="0123456789", min_size=18, max_size=18))
def test_one_pair_of_check_digits_in_a_hundred_makes_an_iban(account: str) -> None:
    valid = [f"{n:02d}" for n in range(2, 99) if checksums.iban(f"DE{n:02d}{account}")]
    assert len(valid) == 1


@given(st.text(alphabet="0123456789", min_size=11, max_size=11), st.integers(0, 11), st.integers(1, 9))
def test_verhoeff_catches_every_single_wrong_digit(body: str, at: int, change: int) -> None:
    number = next(f"2{body[1:]}{d}" for d in "0123456789" if checksums.in_aadhaar(f"2{body[1:]}{d}"))
    wrong = number[:at] + str((int(number[at]) + change) % 10) + number[at + 1 :]
    assert not checksums.in_aadhaar(wrong)


@pytest.mark.parametrize(
    "piece",
    ["1", "1-", "1 ", "1.", "a@", "@", "a.", "a@a.", "+1", "+1 ", "A1", "AA11", "X1234567", "X-", "DE89 ", "1.1.1.",
    "(", "(1)", "1/",
     "phone 1", "4111 1111 1111 ", "-", " ", "ip 1.2.3.", "０", "1\u00a0"],
)  # fmt: skip
def test_adversarial_text_is_read_in_linear_time(piece: str) -> None:
    def seconds(size: int) -> float:
        text = (piece * size)[:size] + "x"
        start = time.perf_counter()
        kinds(text)
        return time.perf_counter() - start

    seconds(1000)
    # No clock limit for a shared machine; quadratic time would make this twentyfold and more instead of tenfold.
    assert seconds(200_000) < 40 * seconds(20_000) + 1.0


@pytest.mark.parametrize(
    ("hidden", "kind"),
    [
        ("4111 1111 1111 1111", "credit_card"), ("3782-822463-10005", "credit_card"), ("1 850578006 084 91", "fr_nir"),
        ("185057800608491", "fr_nir"), ("11010519491231002X", "cn_id"), ("12.345.678-Z", "es_dni"),
        ("BSN 111222333", "nl_bsn"), ("DE89370400440532013000", "iban"), ("(415) 555-2671", "phone"),
    ],
)  # fmt: skip
def test_number_is_found_in_the_midst_of_a_large_table(hidden: str, kind: str) -> None:
    row = "17.50,2291,88,10442,3,907,55,61273\n"
    assert kinds(row * 1500 + hidden + "\n" + row * 1500) == (kind,)
    assert kinds(row * 3000) == ()


def test_runs_of_digits_in_other_groups_are_no_card() -> None:
    assert kinds("4111 1111 1111-1111") == ()
    assert kinds("411 1111 1111 11111") == ()
