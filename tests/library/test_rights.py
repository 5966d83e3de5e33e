"""What a role may do is decided where it is done, whatever a page shows."""

import io
from pathlib import Path
from typing import Any

import pytest

from neuroclass.errors import AccessError, SettingsError
from neuroclass.io.artifacts import save_model
from neuroclass.io.history import History, StoredFile
from neuroclass.io.spool import Spool
from neuroclass.library.library import ModelLibrary
from neuroclass.library.package import import_model
from neuroclass.training.jobs import JobRegistry
from neuroclass.training.model_jobs import ModelJobs
from neuroclass.training.runs import RunConfig
from neuroclass.types.visitors import (
    ADMINS_VARIABLE,
    LAB_VARIABLE,
    LOGIN_VARIABLE,
    AccessSettings,
    Role,
    Visitor,
    access_settings,
    anonymous,
    logged_in,
)
from tests.library.making import trained

ADDRESSES = {"admin": "ada@lab.example", "lab": "bob@lab.example", "other": "cyd@lab.example", "visitor": "eve@x.org"}
SETTINGS = AccessSettings(True, lab=("@lab.example",), admins=("ada@lab.example",))


def someone(who: str, shared: bool = False) -> Visitor:
    claims = {"iss": "https://login.example", "sub": who, "email": ADDRESSES[who], "email_verified": True}
    return logged_in(claims, SETTINGS, shared)


@pytest.fixture
def history(database: str, tmp_path: Path) -> History:
    return History(database, Spool(tmp_path / "files"))


def entry_of(history: History, who: str, shared: bool = False) -> str:
    digest, size = history.spool.put(io.BytesIO(who.encode()))
    return history.begin(someone(who, shared), [StoredFile(f"{who}.abf", digest, size)], {})


def test_who_sees_changes_and_deletes_an_entry(history):
    id = entry_of(history, "lab")
    for who in ("visitor", "other"):
        me = someone(who)
        assert history.get(me, id) is None
        assert history.answers(me, id) == {}
        assert history.delete(me, [id]) == 0
        with pytest.raises(AccessError, match="may not see what others"):
            history.find(me, everyone=True)
        history.finish(me, id, "v1", [], "forged")
    assert history.get(someone("lab"), id).summary == ""
    admin = someone("admin")
    assert history.find(admin) == []
    assert [one.id for one in history.find(admin, everyone=True)] == [id]
    assert history.delete(admin, [id]) == 1


def test_a_shared_history_is_the_labs_to_see_and_each_ones_own_to_delete(database, tmp_path):
    history = History(database, Spool(tmp_path / "files"), shared=True)
    id = entry_of(history, "lab", shared=True)
    other, visitor = someone("other", shared=True), someone("visitor", shared=True)
    assert [one.id for one in history.find(other)] == [id]
    assert history.get(other, id) is not None
    assert history.delete(other, [id]) == 0
    assert history.find(visitor) == []
    assert history.get(visitor, id) is None
    assert history.delete(someone("lab", shared=True), [id]) == 1


def test_a_browsers_entries_are_handed_over_to_a_login(history):
    digest, size = history.spool.put(io.BytesIO(b"x"))
    id = history.begin("cookie", [StoredFile("a.abf", digest, size)], {})
    theirs = history.begin("another cookie", [StoredFile("a.abf", digest, size)], {})
    assert history.hand_over("cookie", someone("lab")) == 1
    assert history.find("cookie") == []
    assert [one.id for one in history.find(someone("lab"))] == [id]
    assert history.hand_over("cookie", someone("other")) == 0
    assert [one.id for one in history.find("another cookie")] == [theirs]


def test_who_trains_and_who_cancels(tmp_path, monkeypatch):
    for registry in (JobRegistry(tmp_path / "runs"), ModelJobs(tmp_path / "jobs")):
        monkeypatch.setattr(registry, "advance", lambda: None)

        def start(who: str, registry: Any = registry) -> str:
            if isinstance(registry, ModelJobs):
                return str(registry.queue(["train", "svc"], "training", someone(who)))
            return str(registry.start(RunConfig("dann"), someone(who)))

        with pytest.raises(AccessError, match=r"visitor\) may not train"):
            start("visitor")
        run = start("lab")
        for deed in (registry.cancel, registry.pause):
            with pytest.raises(AccessError):
                deed(run, someone("visitor"))
            with pytest.raises(Exception, match="Another visitor"):
                deed(run, someone("other"))
        assert registry.look(run).state == "queued"
        registry.cancel(run, someone("admin"))
        with pytest.raises(AccessError):
            registry.resume(run, someone("visitor"))
        assert registry.look(run).state == "cancelled"


def test_who_adds_names_deletes_and_promotes_models(tmp_path):
    library = ModelLibrary(tmp_path / "library", tmp_path / "jobs")
    with pytest.raises(AccessError, match="may not add models"):
        import_model(library, b"", owner=someone("visitor"))
    folder = library.draft()
    save_model(trained().predictor, folder, trained().card)
    model = library.adopt(folder, "a-model", "mine", owner=someone("lab")).id
    for who in ("visitor", "other"):
        for deed in (library.delete, library.promote):
            with pytest.raises(AccessError):
                deed(model, by=someone(who))
        with pytest.raises(AccessError):
            library.rename(model, "mine now", by=someone(who))
        with pytest.raises(AccessError):
            library.annotate(model, "mine now", by=someone(who))
    with pytest.raises(AccessError, match="default model"):
        library.promote(model, by=someone("lab"))
    library.rename(model, "renamed", by=someone("lab"))
    assert library.promote(model, by=someone("admin")).id == model
    library.delete(model, by=someone("admin"))
    assert [one.id for one in library.entries()] == ["shipped"]


def test_without_logins_everybody_is_the_lab():
    from neuroclass.types.visitors import Right

    assert anonymous("cookie").rights == {Right.TRAIN, Right.ADD_MODELS, Right.OPEN_LINKS}
    assert anonymous("cookie", shared=True).rights == set(Right) - {Right.ADMINISTER}


@pytest.mark.parametrize(
    "claims, role",
    [
        ({"email": "ADA@Lab.example", "email_verified": True}, Role.ADMIN),
        ({"email": "ada@lab.example", "email_verified": False}, Role.VISITOR),
        ({"email": "ada@lab.example"}, Role.VISITOR),
        ({"email": "ada@lab.example", "email_verified": "true"}, Role.VISITOR),
        ({"email": "x@lab.example", "email_verified": True}, Role.LAB),
        ({"email": "x@evil-lab.example", "email_verified": True}, Role.VISITOR),
        ({"email": "x@lab.example.evil", "email_verified": True}, Role.VISITOR),
        ({"groups": ["patch", "neuro"]}, Role.ADMIN),
        ({"groups": "neuro"}, Role.ADMIN),
        ({"groups": "neuroscience"}, Role.VISITOR),
        ({"groups": None}, Role.VISITOR),
        ({}, Role.VISITOR),
    ],
)
def test_roles_from_claims(claims, role):
    settings = AccessSettings(lab=("@lab.example",), admins=("ada@lab.example", "groups:neuro", "missing:None"))
    assert settings.role_of(claims) is role


def test_an_owner_is_issuer_and_subject_and_not_an_address():
    def owner(**claims: Any) -> str:
        return logged_in({"iss": "https://a", "sub": "1", **claims}, AccessSettings()).owner

    assert owner(email="old@x") == owner(email="new@x")
    assert len({owner(), owner(sub="2"), owner(iss="https://b")}) == 3
    for missing in ({"sub": ""}, {"iss": None}, {"sub": 7}):
        with pytest.raises(AccessError, match="who you are"):
            owner(**missing)


def test_settings_of_roles(monkeypatch):
    assert access_settings() == AccessSettings()
    monkeypatch.setenv(LOGIN_VARIABLE, "required")
    monkeypatch.setenv(LAB_VARIABLE, "@lab.example, groups:patch-clamp")
    monkeypatch.setenv(ADMINS_VARIABLE, "ada@lab.example")
    assert access_settings() == AccessSettings(True, ("@lab.example", "groups:patch-clamp"), ("ada@lab.example",))
    monkeypatch.setenv(ADMINS_VARIABLE, "ada")
    with pytest.raises(SettingsError, match="'ada'"):
        access_settings()
    monkeypatch.setenv(LOGIN_VARIABLE, "yes please")
    with pytest.raises(SettingsError, match="required or optional"):
        access_settings()
