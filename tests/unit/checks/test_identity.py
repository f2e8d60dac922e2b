"""Names that a reader takes for the same are the same, with and without prefixes; nothing else is."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onboarding.api.identity import Claim, Identity, bare_group, group_with
from onboarding.api.team import Person
from onboarding.checks.identity import GroupSet, Naming, folded

BOSS = "boss@x.org"
LIKE_BOSS: dict[str, str] = {
    "as it is": "boss@x.org",
    "capitals": "BOSS@X.ORG",
    "full-width letters": "\uff42\uff4f\uff53\uff53\uff20\uff58\uff0eorg",
    "one full-width letter": "\uff42oss@x.org",
    "mathematical letters": "\U0001d41bo\U0001d42c\U0001d42c@x.org",
    "a circled letter": "b\u24dess@x.org",
    "Cyrillic small letters": "b\u043e\u0455\u0455@\u0445.\u043erg",
    "a Cyrillic capital": "\u0412oss@x.org",
    "Greek letters": "b\u03bfss@\u03c7.org",
    "a Greek capital": "\u0392oss@x.org",
    "a space without width": "bo\u200bss@x.org",
    "a soft hyphen": "bo\u00adss@x.org",
    "a direction mark": "\u202eboss@x.org",
    "a variation selector": "bo\ufe0fss@x.org",
    "a combining grapheme joiner": "bo\u034fss@x.org",
    "a Hangul filler": "bo\u3164ss@x.org",
    "a supplementary variation selector": "bo\U000e0101ss@x.org",
    "a control character": "bo\x08ss@x.org",
    "a control character among other letters": "b\u043e\x08ss@x.org",
}
OTHERS = {
    "another name": "bass@x.org",
    "another domain": "boss@x.org.evil.com",
    "a part of it": "oss@x.org",
    "no domain": "boss",
    "a letter with an accent": "b\u00f6ss@x.org",
    "a digit instead of a letter": "b0ss@x.org",
    "a tag": "boss+a@x.org",
    "the prefix at the end": "boss@x.org:oidc",
}


@pytest.mark.parametrize("spelling", LIKE_BOSS.values(), ids=LIKE_BOSS)
def test_spellings_that_look_the_same_are_one_name(spelling: str) -> None:
    assert folded(spelling) == BOSS


@pytest.mark.parametrize("spelling", OTHERS.values(), ids=OTHERS)
def test_another_name_is_another_name(spelling: str) -> None:
    naming = Naming.of(None)
    assert naming.user(spelling).isdisjoint(naming.user(BOSS))


@given(st.text())
def test_what_is_folded_once_stays(name: str) -> None:
    assert folded(folded(name)) == folded(name)
    assert not {unicodedata.category(letter) for letter in folded(name)} & {"Cc", "Cf"}


@given(st.text(st.characters(codec="ascii")))
def test_ascii_is_folded_as_if_it_were_not_known_to_be_ascii(name: str) -> None:
    assert folded(f"{name}\u200b") == folded(name)


PREFIXES = {
    "the usual one": "oidc:boss@x.org",
    "a domain": "CORP\\boss@x.org",
    "a connection": "ad|boss@x.org",
    "of an issuer": "https://idp.example.org/realms/x#boss@x.org",
    "of a slash": "corp/boss@x.org",
    "a full-width colon": "oidc\uff1aboss@x.org",
    "two": "a:b:boss@x.org",
    "in capitals": "OIDC:Boss@X.org",
}


@pytest.mark.parametrize("identity", [None, Identity(), Identity(username_prefix="other-")], ids=["no", "empty", "set"])
@pytest.mark.parametrize("name", PREFIXES.values(), ids=PREFIXES)
def test_a_usual_prefix_is_left_out_of_a_user_name_also_if_the_policy_names_none(
    identity: Identity | None, name: str
) -> None:
    naming = Naming.of(identity)
    assert naming.user(name) & naming.user(BOSS)


def test_the_prefix_of_the_policy_is_left_out_whatever_it_ends_in() -> None:
    naming = Naming.of(Identity(username_prefix="corp-"))
    assert naming.user("CORP-boss@x.org") & naming.user(BOSS)
    assert not Naming.of(None).user("corp-boss@x.org") & Naming.of(None).user(BOSS)


TAGS = [
    ("boss+a@x.org", True),
    ("oidc:boss+a+b@x.org", True),
    ("BOSS+A@x.org", True),
    ("\uff42oss\uff0ba@x.org", True),
    ("+boss@x.org", False),
    ("bos+s@x.org", False),
    ("boss@x.org+a", False),
]


@pytest.mark.parametrize(("name", "same"), TAGS)
def test_tags_are_left_out_where_the_policy_says_so(name: str, same: bool) -> None:
    assert bool(Naming.of(Identity(plus_tags=True)).user(name) & Naming(plus_tags=True).user(BOSS)) is same
    assert not Naming.of(Identity()).user(name) & Naming.of(None).user(BOSS)


def test_a_person_has_a_mail_address_and_a_user_name_under_each_claim() -> None:
    person = Person(name="Bo", email="boss@x.org", username="b.li")
    for claim in (None, *Claim):
        naming = Naming.of(Identity(username_prefix="oidc:", claim=claim))
        for name in ("oidc:b.li", "b.li", "B.LI", "oidc:boss@x.org"):
            assert naming.person(person) & naming.user(name)
        assert not naming.person(person) & naming.user("oidc:c.li")
        assert naming.by_username is (claim is Claim.USERNAME)


FORMED = [
    ("team-a", "oidc:", "oidc:team-a"),
    ("oidc:team-a", "oidc:", "oidc:team-a"),
    ("oidc:team-a", "", "team-a"),
    ("corp:team-a", "oidc:", "oidc:team-a"),
    ("corp:team-a", "", "team-a"),
    ("team-a", "", "team-a"),
    ("oidc:oidc:team-a", "", "oidc:team-a"),
    ("oidc:", "oidc:", "oidc:oidc:"),
    ("Oidc:team-a", "", "Oidc:team-a"),
    ("oidc:system:masters", "", "oidc:system:masters"),
    ("oidc:system:masters", "oidc:", "oidc:system:masters"),
    ("tem:masters", "sys", "tem:masters"),
]


@pytest.mark.parametrize(("declared", "prefix", "form"), FORMED)
def test_a_declared_group_has_the_form_of_its_place_and_never_that_of_kubernetes(
    declared: str, prefix: str, form: str
) -> None:
    assert group_with(prefix, declared, ("oidc:", "corp:", "")) == form


def test_the_longest_prefix_is_left_out() -> None:
    assert bare_group("oidc:corp:a", ("oidc:", "oidc:corp:")) == "a"
    assert bare_group("a", ()) == "a"


FOUND: dict[str, tuple[Identity | None, str, str, bool]] = {
    "the same": (None, "team-a", "team-a", True),
    "capitals": (None, "team-a", "Team-A", True),
    "a prefix of the user": (None, "team-a", "oidc:team-a", True),
    "a prefix of the declaration": (None, "oidc:team-a", "team-a", True),
    "an issuer": (None, "team-a", "https://idp.example.org#team-a", True),
    "a path of one": (None, "team-a", "/team-a", True),
    "prefix and path": (None, "team-a", "oidc:/team-a", False),
    "the prefix of the policy": (Identity(group_prefix="corp-"), "team-a", "corp-team-a", True),
    "the prefix of the policy, declared": (Identity(group_prefix="corp-"), "corp-team-a", "corp-team-a", True),
    "the prefix of the policy and a path": (Identity(group_prefix="oidc:"), "team-a", "oidc:/team-a", True),
    "a prefix that nobody names": (None, "team-a", "corp-team-a", False),
    "the same end of two names": (None, "urn:x:admins", "urn:y:admins", False),
    "a path that ends like it": (None, "admins", "/other/admins", False),
    "a group of Kubernetes that ends like it": (None, "authenticated", "system:authenticated", False),
    "another": (None, "team-a", "team-b", False),
    "nothing but the prefix": (Identity(group_prefix="oidc:"), "team-a", "oidc:", False),
}


@pytest.mark.parametrize(("identity", "declared", "group", "same"), FOUND.values(), ids=FOUND)
def test_a_declared_group_is_found_by_a_users_group(
    identity: Identity | None, declared: str, group: str, same: bool
) -> None:
    assert GroupSet(Naming.of(identity), [declared, "something-else"]).find(group) == (declared if same else None)


def test_access_takes_groups_to_the_letter() -> None:
    naming = Naming.of(Identity(group_prefix="oidc:"))
    assert naming.on_hub(["pilots", "oidc:captains"]) == {"oidc:pilots", "oidc:captains"}
    assert Naming.of(None).on_hub(["Pilots"]) == {"Pilots"}
