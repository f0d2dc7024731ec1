//! Launcher: a static executable of some 350 bytes that replaces itself by `uro-hook` (no prior hook).
//!
//! It calls execve(2) with the hook's name, its arguments and its environment, and exits 0 if that fails. A shell
//! script would cost 0.5 ms more, half of all else; a symbolic link would be free, but tools that write into
//! the hook (git-lfs, `cat >`) would overwrite the shared program, and with an interpreter line git complains once
//! the program is missing. Other systems than x86-64 Linux get the script.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::domain::event::HookName;

/// The identification of a 64-bit little-endian ELF file for System V.
const MAGIC: [u8; 16] = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
/// File header and one program header, per the ELF-64 specification (bytes).
const HEADERS: usize = 64 + 56;
/// Load address: the customary one of a non-relocatable program.
const BASE: u64 = 0x40_0000;
/// Hook name and path follow the code directly, for RIP-relative addressing.
const CODE: [u8; 51] = [
    0x48, 0x8b, 0x04, 0x24, // mov (%rsp), %rax            how many arguments
    0x48, 0x8d, 0x54, 0xc4, 0x10, // lea 16(%rsp,%rax,8), %rdx   the environment
    0x48, 0x8d, 0x3d, 0x33, 0x00, 0x00, 0x00, // lea path(%rip), %rdi
    0x48, 0x89, 0x3c, 0x24, // mov %rdi, (%rsp)            the program's own name, in place of their number
    0x48, 0x8d, 0x0d, 0x18, 0x00, 0x00, 0x00, // lea name(%rip), %rcx
    0x48, 0x89, 0x4c, 0x24, 0x08, // mov %rcx, 8(%rsp)           the hook's name, in place of ours
    0x48, 0x89, 0xe6, // mov %rsp, %rsi              the arguments begin there
    0xb8, 0x3b, 0x00, 0x00, 0x00, // mov $59, %eax               execve
    0x0f, 0x05, // syscall
    0x31, 0xff, // xor %edi, %edi              it failed: 0
    0xb8, 0x3c, 0x00, 0x00, 0x00, // mov $60, %eax               exit
    0x0f, 0x05, // syscall
];
/// Field width of the hook's name with its zero byte: the longest, `post-applypatch`, fills it.
const NAME: usize = 16;
/// Comment for readers of the file.
const NOTE: &str = "\nuro-capture hook: becomes the program named above, and does nothing where that is gone.\n\
                    `uro-capture deinit` removes it.\n";

/// Builds the launcher of `program HOOK ARGUMENTS…`; `None` on other machines.
#[must_use]
pub fn render(hook: HookName, program: &Path) -> Option<Vec<u8>> {
    let path = program.as_os_str().as_bytes();
    if !cfg!(all(target_os = "linux", target_arch = "x86_64")) || path.contains(&0) {
        return None;
    }
    let body = [&CODE, name(hook).as_slice(), path, b"\0", NOTE.as_bytes()].concat();
    Some([headers((HEADERS + body.len()) as u64), body].concat())
}

/// The program of our launcher for `hook`; `None` if the bytes are no launcher.
#[must_use]
pub fn recognise(hook: HookName, file: &[u8]) -> Option<PathBuf> {
    let rest = file.get(HEADERS..)?.strip_prefix(&CODE)?.strip_prefix(name(hook).as_slice())?;
    let path = rest.strip_suffix(NOTE.as_bytes())?.strip_suffix(b"\0")?;
    file.starts_with(&MAGIC).then(|| PathBuf::from(OsStr::from_bytes(path)))
}

fn name(hook: HookName) -> Vec<u8> {
    let mut name = hook.as_str().as_bytes().to_vec();
    name.resize(NAME, 0);
    name
}

/// File header and program header of a file of `size` bytes that is loaded entirely, readable and executable.
fn headers(size: u64) -> Vec<u8> {
    let half = |value: u16| value.to_le_bytes().to_vec();
    let word = |value: u32| value.to_le_bytes().to_vec();
    let long = |value: u64| value.to_le_bytes().to_vec();
    let entry = BASE + HEADERS as u64;
    [
        MAGIC.to_vec(),
        [half(2), half(62), word(1)].concat(), // executable, x86-64, version
        [long(entry), long(64), long(0), word(0)].concat(), // entry, program headers, no sections
        [half(64), half(56), half(1), half(0), half(0), half(0)].concat(), // sizes and counts
        [word(1), word(5)].concat(),           // load, read and execute
        [long(0), long(BASE), long(BASE), long(size), long(size), long(0x1000)].concat(),
    ]
    .concat()
}

#[cfg(test)]
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod tests {
    use super::*;
    use crate::hook::test_program::write_program;
    use std::process::{Command, Output};

    fn launched(program: &str, arguments: &[&str]) -> Output {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a hook");
        write_program(&file, &render(HookName::PostApplypatch, Path::new(program)).unwrap());
        Command::new(&file).args(arguments).env("URO_TEST", "passed on").output().unwrap()
    }

    #[test]
    fn it_becomes_the_program_with_the_hooks_name_its_arguments_and_its_environment() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("é o'hara");
        write_program(&program, b"#!/bin/sh\nprintf '%s|' \"$@\" \"$URO_TEST\"\nexit 3\n");
        let output = launched(program.to_str().unwrap(), &["a b", "", "c"]);
        assert_eq!(output.status.code(), Some(3));
        assert_eq!(String::from_utf8_lossy(&output.stdout), "post-applypatch|a b||c|passed on|");
        assert_eq!(launched("/bin/echo", &[]).stdout, b"post-applypatch\n");
    }

    #[test]
    fn where_the_program_is_gone_it_does_nothing_and_succeeds() {
        let output = launched("/nonexistent/uro-hook", &["x"]);
        assert_eq!(output.status.code(), Some(0));
        assert!(output.stdout.is_empty() && output.stderr.is_empty());
    }

    #[test]
    fn it_is_recognised_by_every_byte_but_the_path() {
        let hook = HookName::PostCommit;
        let file = render(hook, Path::new("/home/é o'hara/uro-hook")).unwrap();
        assert_eq!(recognise(hook, &file), Some(PathBuf::from("/home/é o'hara/uro-hook")));
        assert_eq!(recognise(HookName::PostMerge, &file), None);
        assert_eq!(recognise(hook, &file[..file.len() - 1]), None);
        let mut other = file.clone();
        other[HEADERS + 3] ^= 1;
        assert_eq!(recognise(hook, &other), None);
        assert_eq!(recognise(hook, b"#!/bin/sh\n"), None);
        assert_eq!(recognise(hook, &[]), None);
    }
}
