"""Programs that start others: with one of them, a list of granted programs is no limit."""

from __future__ import annotations

from typing import Final

#: Programs known to run what their arguments, or files an actor may write, tell them to.
STARTERS: Final = frozenset(
    {
        # shells, interpreters, and what runs its own language
        *("ash", "bash", "csh", "dash", "fish", "ksh", "sh", "tcsh", "zsh", "busybox", "toybox"),
        *("awk", "gawk", "mawk", "bun", "deno", "java", "jshell", "julia", "lua", "luajit"),
        *("node", "osascript", "perl", "php", "powershell", "pwsh", "pypy3", "python", "python2"),
        *("python3", "R", "Rscript", "ruby", "sed", "sqlite3", "tclsh", "expect", "gdb", "lldb"),
        # what starts the program named by its arguments
        *("chroot", "chrt", "doas", "env", "exec", "find", "fd", "fdfind", "flock", "ionice"),
        *("ld.so", "ltrace", "nice", "nohup", "nsenter", "parallel", "pkexec", "runuser", "script"),
        *("setarch", "setsid", "stdbuf", "strace", "su", "sudo", "systemd-run", "taskset", "time"),
        *("timeout", "unshare", "watch", "xargs", "tmux", "screen", "entr", "crontab", "at"),
        # what builds, tests or installs, by files of the project
        *("ant", "bazel", "bundle", "cargo", "cmake", "composer", "conda", "dotnet", "gem", "go"),
        *("gradle", "just", "make", "gmake", "meson", "mvn", "ninja", "npm", "npx", "pip", "pip3"),
        *("pipx", "pnpm", "poetry", "pytest", "rake", "rustc", "gcc", "cc", "clang", "tox", "uv"),
        *("uvx", "yarn", "rpm", "dpkg", "apt", "apt-get", "brew", "nix", "pre-commit"),
        # what has an option, a setting or a command for it
        *("docker", "podman", "kubectl", "git", "hg", "svn", "gh", "tar", "bsdtar", "zip", "rsync"),
        *("scp", "sftp", "ssh", "ed", "emacs", "ex", "less", "man", "more", "nano", "vi", "vim"),
        *("nvim", "view", "nc", "ncat", "socat", "openssl", "sort", "split", "tcpdump", "wget"),
        *("rg", "ansible", "ansible-playbook", "terraform", "vagrant", "psql", "mysql"),
    }
)
