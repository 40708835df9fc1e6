"""Environment variables that choose code, which actors with a list of programs cannot set."""

from __future__ import annotations

from typing import Final

_EXACT: Final = frozenset(
    {
        *("PATH", "HOME", "SHELL", "ENV", "IFS", "PS4", "PROMPT_COMMAND", "CDPATH", "FPATH"),
        *("SHELLOPTS", "BASHOPTS", "ZDOTDIR", "EDITOR", "VISUAL", "PAGER", "MANPAGER", "BROWSER"),
        *("LESSOPEN", "LESSCLOSE", "LESSKEY", "SSH_ASKPASS", "SUDO_ASKPASS", "TAR_OPTIONS", "TAPE"),
        *("RSYNC_RSH", "CVS_RSH", "SVN_SSH", "HGRCPATH", "MAKEFLAGS", "MAKEFILES", "GNUMAKEFLAGS"),
        *("GCONV_PATH", "LOCPATH", "NLSPATH", "GLIBC_TUNABLES", "HOSTALIASES", "RES_OPTIONS"),
        *("OPENSSL_CONF", "OPENSSL_MODULES", "OPENSSL_ENGINES", "CLASSPATH", "PHPRC", "LUA_INIT"),
        *("PHP_INI_SCAN_DIR", "JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "DOTNET"),
        *("WGETRC", "CURL_HOME", "INPUTRC", "TERMINFO", "TERMINFO_DIRS", "TERMCAP", "AWKPATH"),
        *("AWKLIBPATH", "COMSPEC", "PATHEXT", "GREP_OPTIONS", "RIPGREP_CONFIG_PATH", "VIMINIT"),
        *(
            "EXINIT",
            "MYVIMRC",
            "GOFLAGS",
            "RUSTC",
            "RUSTFLAGS",
            "CC",
            "CXX",
            "LD",
            "SQLITE_HISTORY",
        ),
    }
)
_BEGINNINGS: Final = (
    *("LD_", "DYLD_", "BASH_", "GIT_", "PYTHON", "PERL", "RUBY", "GEM_", "BUNDLE_", "NODE_"),
    *("NPM_", "LUA_", "XDG_", "CARGO_", "RUSTC_", "PIP_", "UV_", "DOCKER_", "JAVA_", "GCC_"),
    *("COMPILER_", "DOTNET_", "CORECLR_", "MALLOC_", "R_"),
)


def chooses_code(variable: str) -> bool:
    """Whether an environment variable can make a program run code of somebody's choice.

    Loaders, interpreters and programs with settings read such ones. Not all of them can be known.
    """
    name = variable.upper()
    return name in _EXACT or name.startswith(_BEGINNINGS)
