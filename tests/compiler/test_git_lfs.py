"""Files kept in Git LFS: left alone unless asked for, then exactly what their pointers promise."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import tomllib
from pathlib import Path

import pytest

from tests.compiler.lfs import LfsServer, commit_large, keep, pointer
from tests.compiler.project import ABOUT_ACTORS, Project, app
from tests.compiler.repositories import Repository
from tests.compiler.sessions import TLS
from wasmind_compiler.diagnostics.render_text import render_text
from wasmind_compiler.resolution.git.limits import GitLimits

BIG = b"\0big file\n" * 1000
LFS = 'sub_dir = "actors/desk", lfs = true'


@pytest.fixture
def project(project: Project) -> Project:
    project.quiet |= ABOUT_ACTORS
    return project


@pytest.fixture
def remote(tmp_path: Path) -> Repository:
    """An actor with a big file, which only its pointer is committed of."""
    remote = Repository.make(tmp_path / "served" / "remote")
    remote.actor("actors/desk")
    commit_large(remote, "actors/desk/model.bin", BIG)
    return remote


@pytest.fixture
def server(remote: Repository) -> LfsServer:
    server = LfsServer(remote.root.parent)
    server.add(BIG)
    return server


def written(project: Project, name: str = "model.bin") -> bytes:
    """A file of the one actor, as it is in the cache."""
    (actor,) = tomllib.loads(project.lockfile())["actor"]
    digest = actor["digest"].removeprefix("sha256:")
    return (project.root.parent / "cache" / "sources" / digest / "tree" / name).read_bytes()


def url(server: str) -> str:
    return f"{server}/remote/.git"


def test_without_the_key_pointers_are_left_and_reported(
    project: Project, remote: Repository, server: LfsServer
) -> None:
    with server.serve() as place:
        (warning,) = project.lock(app(url(place)))
    assert warning.startswith("WM1123 app.toml:4:18 `model.bin` is a Git LFS pointer; `lfs = true`")
    assert written(project) == pointer(BIG)
    assert server.log == []


@pytest.mark.parametrize("transport", ["file", "http"])
def test_with_the_key_the_files_themselves_are_fetched(
    project: Project, remote: Repository, server: LfsServer, transport: str
) -> None:
    server.add(b"of another actor")
    remote.write("actors/tool/other.bin", pointer(b"of another actor"))
    remote.commit()
    with server.serve() as place:
        assert project.lock(app(remote.url if transport == "file" else url(place), LFS)) == []
    assert written(project) == BIG
    (actor,) = tomllib.loads(project.lockfile())["actor"]
    assert actor["source"]["lfs"] is True
    assert len(server.fetched()) == (transport == "http"), "nothing but what belongs to the actor"


def test_pointers_among_the_inputs_of_a_build_are_replaced_too(
    project: Project, remote: Repository, server: LfsServer
) -> None:
    code = b"CONTRACT = {}\n"
    commit_large(remote, "actors/desk/actor.py", code)
    server.add(code)
    with server.serve() as place:
        assert project.lock(app(url(place), LFS)) == []
    assert written(project, "actor.py") == code
    assert len(server.fetched()) == 2


def test_what_is_in_the_cache_is_not_fetched_again(
    project: Project, remote: Repository, server: LfsServer
) -> None:
    cache = project.root.parent / "cache"
    with server.serve() as place:
        text = app(url(place), LFS)
        project.lock(text)
        shutil.rmtree(cache / "sources")
        server.log.clear()
        assert project.lock(text) == []
        assert project.lock(text, offline=True, locked=True) == []
        assert server.log == []
        (kept,) = (cache / "git").rglob("lfs/objects/*/*/*")
        kept.write_bytes(b"damaged")
        shutil.rmtree(cache / "sources")
        (missing,) = project.lock(text, offline=True)
        assert missing.startswith("WM1124 app.toml:4:18 the content of `model.bin` of `")
        assert project.lock(text) == []
        assert len(server.fetched()) == 1
    assert written(project) == BIG


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (b"\1" + BIG[1:], "its sha256 is "),
        (BIG[:-1], f"it has {len(BIG) - 1} bytes, its pointer says {len(BIG)}"),
        (BIG + b"!", f"the server sends more than {len(BIG)} bytes"),
    ],
)
def test_content_that_is_not_what_the_pointer_promises(
    project: Project, server: LfsServer, instead: bytes, reason: str
) -> None:
    server.add(BIG, instead)
    with server.serve() as place:
        (found,) = project.found(app(url(place), LFS))
    beginning = f"WM1132 app.toml:4:18 `model.bin` of `{url(place)}` cannot be fetched from Git LFS"
    assert found.startswith(f"{beginning}: {reason}")
    cache = project.root.parent / "cache"
    assert not list((cache / "git").rglob("lfs/objects/*/*/*"))
    assert not (cache / "sources").exists()


@pytest.mark.parametrize(
    ("instead", "reason"),
    [
        (BIG[:-1], "it has 9999 bytes, its pointer says 10000"),
        (b"\1" + BIG[1:], "its sha256 is "),
        (None, "the repository's `lfs/objects` does not have it"),
    ],
)
def test_faulty_objects_beside_a_local_repository(
    project: Project, remote: Repository, instead: bytes | None, reason: str
) -> None:
    kept = keep(remote, BIG, instead)
    if instead is None:
        kept.unlink()
    (found,) = project.found(app(remote.url, LFS))
    assert found.startswith("WM1132 app.toml:4:18 `model.bin`")
    assert reason in found


def test_an_object_that_would_never_end(project: Project, remote: Repository) -> None:
    kept = keep(remote, BIG)
    kept.unlink()
    os.mkfifo(kept)
    (found,) = project.found(app(remote.url, LFS))
    assert found.endswith("it cannot be read: not a regular file")


def test_an_object_that_the_server_does_not_have(project: Project, server: LfsServer) -> None:
    server.objects.clear()
    with server.serve() as place:
        (found,) = project.found(app(url(place), LFS))
    assert found.endswith("the server does not have it: 404 no such object")


def test_a_repository_without_an_lfs_server(project: Project, remote: Repository) -> None:
    from tests.compiler.repositories import serve_files

    remote.git("update-server-info")
    with serve_files(remote.root.parent, []) as place:
        (found,) = project.found(app(url(place), LFS))
    assert found.endswith("/remote/.git/info/lfs/objects/batch` answers with status 501")


def test_what_is_too_big_is_refused_before_it_is_fetched(
    project: Project, remote: Repository, server: LfsServer
) -> None:
    project.git_limits = GitLimits(folder_mib=1)
    remote.write("actors/desk/huge.bin", pointer(b"").replace(b"size 0", b"size 999999999999"))
    remote.commit()
    with server.serve() as place:
        (found,) = project.check(app(url(place), LFS)).diagnostics
    assert (found.code, found.help) == ("WM1125", "the limit is `WASMIND_GIT_FOLDER_MIB`")
    assert "larger than 1 MiB at `huge.bin`" in found.message
    assert server.log == []


@pytest.mark.parametrize("change", [(b"sha256", b"md5"), (b"size 1", b"size -1"), (b"oid", b"ext")])
def test_pointers_of_an_unknown_kind(
    project: Project, remote: Repository, change: tuple[bytes, bytes]
) -> None:
    remote.write("actors/desk/odd.bin", pointer(BIG).replace(*change))
    remote.commit()
    assert project.found(app(remote.url, LFS)) == [
        "WM1132 app.toml:4:18 `odd.bin` is no Git LFS pointer of a known kind"
    ]


# Credentials and places


def test_credentials_are_used_at_the_server_only(project: Project, server: LfsServer) -> None:
    server.password = "Basic " + base64.b64encode(b"user:s3cret").decode()
    server.href = lambda here, oid: f"{here.replace('127.0.0.1', 'localhost')}/objects/{oid}"
    with server.serve() as place:
        text = app(url(place).replace("//", "//user:s3cret@"), LFS)
        assert [each.split()[0] for each in project.lock(text)] == ["WM1103"]
        assert written(project) == BIG
        shutil.rmtree(project.root.parent / "cache")
        wrong = project.check(text.replace("s3cret", "wr0ng"))
    asked, answered, fetched = server.log[:3]
    assert (asked.split()[2:], answered.split(" ", 2)[2]) == (["-"], server.password)
    assert fetched.endswith(" -"), "another host"
    assert "s3cret" not in project.lockfile() + "".join(project.statuses)
    assert "WM1110" in {each.code for each in wrong.diagnostics}
    assert "wr0ng" not in render_text(wrong.diagnostics, wrong.texts)


def test_credentials_of_a_netrc(
    project: Project, server: LfsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password s3cret\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    server.password = "Basic " + base64.b64encode(b"user:s3cret").decode()
    with server.serve() as place:
        assert project.lock(app(url(place), LFS)) == []
    assert written(project) == BIG


def test_certificates_that_git_trusts(
    project: Project, server: LfsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It would win over git's settings.
    monkeypatch.delenv("GIT_SSL_CAINFO", raising=False)
    server.scheme = "https"
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(TLS / "cert.pem", TLS / "key.pem")
    config = tmp_path / "gitconfig"
    config.write_text(f"[http]\n  sslCAInfo = {TLS / 'cert.pem'}\n")
    with server.serve(tls) as place:
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        assert project.lock(app(url(place), LFS)) == []
        assert written(project) == BIG
        shutil.rmtree(project.root.parent / "cache" / "sources")
        for kept in (project.root.parent / "cache" / "git").rglob("lfs/objects/*/*/*"):
            kept.unlink()
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
        (found,) = project.found(app(url(place), LFS))
    assert found.startswith("WM1132 ")
    assert "CERTIFICATE_VERIFY_FAILED" in found


def test_nobody_is_asked_for_credentials(project: Project, server: LfsServer) -> None:
    with server.serve() as place:
        project.lock(app(url(place)))
        server.password = "Basic never"
        (found,) = project.found(app(url(place), LFS))
    assert found.startswith("WM1110 app.toml:4:18 authentication failed: ")


def test_redirects_and_headers_of_the_server_are_followed(
    project: Project, server: LfsServer
) -> None:
    server.href = lambda here, oid: f"{here}/elsewhere/{oid}"
    server.header = {"Authorization": "Bearer of this object"}
    with server.serve() as place:
        assert project.lock(app(url(place), LFS)) == []
    assert written(project) == BIG
    assert [line.split(" ", 2)[2] for line in server.log[1:]] == ["Bearer of this object"] * 2


@pytest.mark.parametrize("value", ["Bearer s3cret\n", "Bearer s3cret\u201d"])
def test_a_header_that_cannot_be_sent_is_not_quoted(
    project: Project, server: LfsServer, value: str
) -> None:
    server.href = lambda here, oid: f"{here}/elsewhere/{oid}"
    server.header = {"Authorization": value}
    with server.serve() as place:
        (found,) = project.lock(app(url(place), LFS))
    assert "what the server says of its place cannot be used" in found
    assert "s3cret" not in found


@pytest.mark.parametrize(
    ("href", "reason"),
    [
        ("file:///etc/passwd", "a place that cannot be fetched from"),
        ("http://example.org/x", "a place without encryption: `http://example.org/x`"),
        (
            "https://evil.example/x",
            "the server names `evil.example`, which `WASMIND_GIT_HOSTS` does",
        ),
        ("nonsense", "a place that cannot be fetched from"),
        ("http://[", "a place that cannot be fetched from"),
        ("https://[::1.2]/x", "what the server says of its place cannot be used"),
        ("http://127.0.0.1:999999/x", "the server names a place that cannot be fetched from"),
    ],
)
def test_places_that_a_server_may_not_name(
    project: Project, server: LfsServer, href: str, reason: str
) -> None:
    project.git_limits = GitLimits(hosts=("127.0.0.1", "example.org", "[::1.2]"))
    # Credentials are kept back from other places, so places are compared.
    server.password = "Basic " + base64.b64encode(b"user:s3cret").decode()
    server.href = lambda here, oid: href
    with server.serve() as place:
        _, found = sorted(project.found(app(url(place).replace("//", "//user:s3cret@"), LFS)))
    assert found.startswith("WM1132 app.toml:4:18 `model.bin` of ")
    assert reason in found


@pytest.mark.parametrize("value", ["\N{SNOWMAN}", "a\nb", "\ud800"])
def test_headers_that_cannot_be_sent(project: Project, server: LfsServer, value: str) -> None:
    server.header = {"X-Note": value}
    with server.serve() as place:
        (found,) = project.found(app(url(place), LFS))
    assert found.startswith("WM1132 app.toml:4:18 `model.bin` of ")
    assert server.fetched() == []


def test_big_files_of_a_submodule_come_from_its_own_server(
    project: Project, remote: Repository, server: LfsServer, tmp_path: Path
) -> None:
    inner = Repository.make(tmp_path / "served" / "inner")
    inner.write("model.bin", pointer(b"inner"))
    inner.commit()
    server.add(b"inner")
    with server.serve() as place:
        remote.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
                   inner.url, "actors/desk/inner")  # fmt: skip
        remote.git("config", "--file", ".gitmodules", "submodule.actors/desk/inner.url",
                   f"{place}/inner/.git")  # fmt: skip
        remote.commit()
        assert project.lock(app(url(place), f"{LFS}, submodules = true")) == []
    assert written(project, "inner/model.bin") == b"inner"
    asked = {line.split()[1] for line in server.log if line.startswith("POST")}
    assert asked == {f"/{name}/.git/info/lfs/objects/batch" for name in ("remote", "inner")}
