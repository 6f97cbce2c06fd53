"""The check digits of cards, accounts and national identity numbers.

Every function takes the number without separators and says whether its check digits, and whatever else its standard
fixes, hold. Only standards with a published algorithm are here.
"""

from __future__ import annotations

from datetime import date


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1."""
    doubled = "0246813579"
    odd, even = digits[-1::-2], digits[-2::-2]
    return (sum(map(int, odd)) + sum(int(doubled[int(d)]) for d in even)) % 10 == 0


_CARD_LENGTHS = (
    # prefix from, to (same number of digits), lengths
    ("4", "4", (13, 16, 19)),  # Visa
    ("51", "55", (16,)),  # Mastercard
    ("2221", "2720", (16,)),  # Mastercard
    ("34", "34", (15,)),  # American Express
    ("37", "37", (15,)),
    ("6011", "6011", (16, 19)),  # Discover
    ("644", "659", (16, 19)),
    ("300", "305", (14,)),  # Diners Club
    ("36", "36", (14,)),
    ("38", "39", (14,)),
    ("3528", "3589", (16,)),  # JCB
    ("62", "62", (16, 17, 18, 19)),  # UnionPay
    ("6761", "6763", (16,)),  # Maestro
)


def card(digits: str) -> bool:
    """A payment card: an issuer's prefix at that issuer's length, and Luhn."""
    if digits[0] in "01789":
        return False
    for low, high, lengths in _CARD_LENGTHS:
        if len(digits) in lengths and low <= digits[: len(low)] <= high:
            return luhn(digits)
    return False


IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18, "NO": 15,
    "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24, "SI": 19,
    "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20,
}  # fmt: skip


def iban(account: str) -> bool:
    """ISO 13616: the country's length and modulus 97."""
    if IBAN_LENGTHS.get(account[:2]) != len(account):
        return False
    return int("".join(str(int(char, 36)) for char in account[4:] + account[:4])) % 97 == 1


def de_tax_id(digits: str) -> bool:
    """German Identifikationsnummer: one digit two or three times among the first ten, ISO 7064 mod 11,10."""
    first = digits[:10]
    counts = sorted((first.count(d) for d in set(first)), reverse=True)
    if digits[0] == "0" or counts[0] not in (2, 3) or counts[1] != 1:
        return False
    product = 10
    for digit in first:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def es_dni(number: str) -> bool:
    """Spanish DNI (8 digits, letter) or NIE (X, Y or Z, 7 digits, letter): the letter is the number modulo 23."""
    body = number[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(body) % 23] == number[-1]


def fr_nir(number: str) -> bool:
    """French social security number: sex, year, month, place of birth, order, and a key of 97 less the rest.

    Digits only: the departments 2A and 2B of Corsica are left out.
    """
    month = int(number[3:5])
    if number[0] not in "123478" or not (1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99):
        return False
    return 97 - int(number[:13]) % 97 == int(number[13:])


def uk_nhs(digits: str) -> bool:
    """NHS number: modulus 11 with weights 10 to 2."""
    check = 11 - sum(int(d) * w for d, w in zip(digits[:9], range(10, 1, -1), strict=True)) % 11
    return check != 10 and check % 11 == int(digits[9])


def br_cpf(digits: str) -> bool:
    """Brazilian CPF: two digits of modulus 11; eleven equal digits hold arithmetically and are never issued."""
    return len(set(digits)) > 1 and all(
        sum(int(d) * w for d, w in zip(digits[:n], range(n + 1, 1, -1), strict=True)) * 10 % 11 % 10 == int(digits[n])
        for n in (9, 10)
    )


def br_cnpj(digits: str) -> bool:
    """Brazilian CNPJ: two digits of modulus 11 with weights that run 2 to 9 from the right."""
    return len(set(digits)) > 1 and all(
        (11 - sum(int(d) * (2 + i % 8) for i, d in enumerate(reversed(digits[:n]))) % 11) % 11 % 10 == int(digits[n])
        for n in (12, 13)
    )


_VERHOEFF_TIMES = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_SHIFT = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip


def in_aadhaar(digits: str) -> bool:
    """Indian Aadhaar: Verhoeff's scheme; the first digit is neither 0 nor 1."""
    check = 0
    for i, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_TIMES[check][int(_VERHOEFF_SHIFT[i % 8][int(digit)])])
    return digits[0] not in "01" and check == 0


def nl_bsn(digits: str) -> bool:
    """Dutch BSN: the eleven-test, last digit weighing -1."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    total = sum(int(d) * w for d, w in zip(digits, weights, strict=True))
    return total > 0 and total % 11 == 0


def pl_pesel(digits: str) -> bool:
    """Polish PESEL: weights 1, 3, 7, 9."""
    return len(set(digits)) > 1 and sum(int(d) * (1, 3, 7, 9)[i % 4] for i, d in enumerate(digits[:10])) % 10 == (
        (10 - int(digits[10])) % 10
    )


def cn_id(number: str) -> bool:
    """Chinese resident identity number: a date of birth and ISO 7064 mod 11-2."""
    try:
        born = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return False
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    rest = sum(int(d) * w for d, w in zip(number[:17], weights, strict=True)) % 11
    return 1900 <= born.year <= 2100 and "10X98765432"[rest] == number[17].upper()


def ch_ahv(digits: str) -> bool:
    """Swiss AHV number: 756 and the check digit of EAN-13."""
    return digits.startswith("756") and sum(int(d) * (1, 3)[i % 2] for i, d in enumerate(digits)) % 10 == 0


_FISCAL_ODD = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 1, 0, 5, 7, 9, 13, 15, 17, 19, 21,
         2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        strict=True,
    )
)  # fmt: skip


def it_fiscal_code(code: str) -> bool:
    """Italian codice fiscale: fifteen characters weighed by position, the sixteenth their sum modulo 26."""
    total = sum(_FISCAL_ODD[char] for char in code[:15:2])
    total += sum(int(char) if char.isdigit() else ord(char) - 65 for char in code[1:15:2])
    return chr(65 + total % 26) == code[15]
