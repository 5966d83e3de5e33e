"""Who asks, and what they may do: every function that changes what others see is told, and refuses."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from neuroclass.errors import AccessError, SettingsError

LOGIN_VARIABLE = "NEUROCLASS_LOGIN"
LAB_VARIABLE = "NEUROCLASS_LAB"
ADMINS_VARIABLE = "NEUROCLASS_ADMINS"
EVERYONE = "everyone"
REQUIRED, OPTIONAL = "required", "optional"


class Role(StrEnum):
    """What someone is to the lab."""

    VISITOR = "visitor"
    LAB = "lab"
    ADMIN = "admin"


class Right(StrEnum):
    """What not everyone may do, in words that follow "may not"."""

    TRAIN = "train models or start other jobs"
    ADD_MODELS = "add models to the library"
    OPEN_LINKS = "open a link to a colleague's verdict"
    SEE_OTHERS = "see what others have classified"
    MANAGE_OTHERS = "change or delete what others brought"
    PROMOTE = "set the lab's default model"
    ADMINISTER = "administer the server"


_OF_LAB = frozenset({Right.TRAIN, Right.ADD_MODELS, Right.OPEN_LINKS})
_SHARED = frozenset({Right.SEE_OTHERS})


@dataclass(frozen=True)
class Visitor:
    """Someone who asks.

    Attributes
    ----------
    owner : str
        Whom entries, runs and models belong to: the browser's secret, or issuer and subject of a login.
    rights : frozenset of Right
        What they may do beyond their own cells.
    role : Role
        Why.
    name : str
        What they are called; empty without a login.
    """

    owner: str
    rights: frozenset[Right]
    role: Role = Role.LAB
    name: str = ""

    def may(self, right: Right) -> bool:
        """Whether they have a right."""
        return right in self.rights

    def require(self, right: Right) -> None:
        """Refuse whoever lacks a right.

        Raises
        ------
        AccessError
            Saying which.
        """
        if not self.may(right):
            who = f"{self.name or 'You'} ({self.role.value})"
            raise AccessError(f"{who} may not {right.value}. Log in as someone who may, or ask the lab.")


Owner = str | Visitor
"""A visitor, or the owner alone where no roles are told apart."""
OPERATOR = Visitor("command line", frozenset(Right), Role.ADMIN, "command line")
"""Whoever has the machine's command line."""


def anonymous(owner: str, shared: bool = False) -> Visitor:
    """A visitor of a server without logins: all are the lab; where it shares its history, all manage everything."""
    all_manage = {Right.SEE_OTHERS, Right.MANAGE_OTHERS, Right.PROMOTE} if shared else set()
    return Visitor(owner, _OF_LAB | all_manage)


def visitor_of(owner: Owner, shared: bool = False) -> Visitor:
    """A visitor from whoever is given."""
    return owner if isinstance(owner, Visitor) else anonymous(owner, shared)


@dataclass(frozen=True)
class AccessSettings:
    """Who is who on a server with logins.

    Attributes
    ----------
    required : bool
        Whether pages are shown only to those who are logged in.
    lab, admins : tuple of str
        Each an address, a domain such as ``@lab.example``, or a claim and its value such as ``groups:patch-clamp``;
        an empty `lab` is everyone who can log in.
    """

    required: bool = False
    lab: tuple[str, ...] = ()
    admins: tuple[str, ...] = ()

    def role_of(self, claims: Mapping[str, Any]) -> Role:
        """Role of someone with these claims of an OIDC provider."""
        if any(_fits(word, claims) for word in self.admins):
            return Role.ADMIN
        return Role.LAB if not self.lab or any(_fits(word, claims) for word in self.lab) else Role.VISITOR


def access_settings() -> AccessSettings:
    """Settings named by ``NEUROCLASS_LOGIN``, ``NEUROCLASS_LAB`` and ``NEUROCLASS_ADMINS``.

    Raises
    ------
    SettingsError
        If one cannot be used.
    """
    login = os.environ.get(LOGIN_VARIABLE, "").strip().lower() or OPTIONAL
    if login not in (REQUIRED, OPTIONAL):
        raise SettingsError(f"{LOGIN_VARIABLE} is {login!r}; expected {REQUIRED} or {OPTIONAL}.")
    lab, admins = (
        tuple(os.environ.get(name, "").replace(",", " ").split()) for name in (LAB_VARIABLE, ADMINS_VARIABLE)
    )
    for name, words in ((LAB_VARIABLE, lab), (ADMINS_VARIABLE, admins)):
        for word in words:
            if "@" not in word and ":" not in word and word != EVERYONE:
                raise SettingsError(
                    f"{name} has {word!r}; expected addresses (ada@lab.example), domains (@lab.example), claims with a "
                    f"value (groups:patch-clamp) or {EVERYONE}, with commas between them."
                )
    return AccessSettings(login == REQUIRED, lab, admins)


def logged_in(claims: Mapping[str, Any], settings: AccessSettings, shared: bool = False) -> Visitor:
    """The visitor behind the claims of an OIDC provider.

    Parameters
    ----------
    claims : mapping
        Of the identity token; ``iss`` and ``sub`` say who it is, whatever their address is.
    settings : AccessSettings
        Who is who.
    shared : bool
        Whether the lab shares its history.

    Raises
    ------
    AccessError
        If the provider does not say who it is.
    """
    issuer, subject = claims.get("iss"), claims.get("sub")
    if not (isinstance(issuer, str) and issuer and isinstance(subject, str) and subject):
        raise AccessError(
            "The login provider does not say who you are (no issuer and subject in its token). Whoever runs this "
            "server should ask for the scope openid."
        )
    role = settings.role_of(claims)
    rights = {Role.VISITOR: frozenset[Right](), Role.LAB: _OF_LAB, Role.ADMIN: frozenset(Right)}[role]
    if shared and role is not Role.VISITOR:
        rights |= _SHARED
    name = claims.get("name") or claims.get("email") or subject
    return Visitor(f"login\n{issuer}\n{subject}", rights, role, str(name))


def _fits(word: str, claims: Mapping[str, Any]) -> bool:
    """Whether claims are those that a word of the settings means; an address counts only where it was verified."""
    if word == EVERYONE:
        return True
    address = claims.get("email")
    if "@" in word and ":" not in word:
        if claims.get("email_verified") is not True or not isinstance(address, str):
            return False
        return address.lower() == word.lower() or (word.startswith("@") and address.lower().endswith(word.lower()))
    claim, _, value = word.partition(":")
    found = claims.get(claim)
    return value in (map(str, found) if isinstance(found, list | tuple) else (str(found),)) and found is not None
