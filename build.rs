//! Links `uro-hook` statically and without PIE where this machine can: git starts it once per commit, and
//! starting is nearly all it costs (a dynamic program needs about 0.3 ms more than a static one).
//!
//! Nothing is assumed: a probe is linked with exactly these arguments and run. Where it fails (no static C
//! library, another system, cross-compilation), the hook is linked as usual and only starts a little slower.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Fails unless it runs with no dynamic loader and no shared library in its address space.
const PROBE: &str = r#"
fn main() {
    let caught = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(())));
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_else(|_| String::from(".so"));
    let alone = !maps.lines().any(|line| line.contains(".so"));
    if caught.is_ok() || !alone { std::process::abort() }
}
"#;

/// The standard library asks for these by name, after switching the linker back to shared libraries.
const SYSTEM: [&str; 6] = ["c", "util", "rt", "pthread", "m", "dl"];

fn main() {
    say("rerun-if-changed=build.rs");
    say("rerun-if-env-changed=CC");
    if let Some(arguments) = static_arguments() {
        for argument in arguments {
            say(&format!("rustc-link-arg-bin=uro-hook={argument}"));
        }
    }
}

/// The link arguments for a static hook, or `None` where they do not lead to a program that runs.
fn static_arguments() -> Option<Vec<String>> {
    let here = read("TARGET")? == read("HOST")?;
    if !here || read("CARGO_CFG_TARGET_OS")? != "linux" || read("CARGO_CFG_TARGET_ENV")? != "gnu" {
        return None;
    }
    let out = PathBuf::from(read("OUT_DIR")?);
    let search = out.join("static");
    write_stand_ins(&search).ok()?;
    let arguments = vec!["-static".to_owned(), "-no-pie".to_owned(), format!("-L{}", search.to_str()?)];
    probe(&out, &arguments)?.then_some(arguments)
}

/// Fills `search`, which the linker looks into first, so that `-lgcc_s` and its like mean static libraries.
fn write_stand_ins(search: &Path) -> io::Result<()> {
    // An earlier build may have found libraries that are gone now.
    let _ = fs::remove_dir_all(search);
    fs::create_dir_all(search)?;
    fs::write(search.join("libgcc_s.a"), "INPUT(-lgcc_eh)\n")?;
    for name in SYSTEM {
        let Some(archive) = system_archive(name) else { continue };
        let tail = if name == "c" { " -lgcc -lgcc_eh" } else { "" };
        fs::write(search.join(format!("lib{name}.a")), format!("GROUP(\"{archive}\"{tail})\n"))?;
    }
    // The library's other half asks for zlib. The hook calls none of it, so an empty archive serves; without
    // one the linker would find the shared library.
    fs::write(search.join("libz.a"), "!<arch>\n")
}

/// The absolute path of a static system library, as the C compiler knows it.
fn system_archive(name: &str) -> Option<String> {
    let compiler = read("CC").unwrap_or_else(|| "cc".to_owned());
    let answer = Command::new(compiler).arg(format!("-print-file-name=lib{name}.a")).output().ok()?;
    let path = String::from_utf8(answer.stdout).ok()?.trim().to_owned();
    Path::new(&path).is_absolute().then_some(path)
}

/// Whether a program linked with `arguments` by the very compiler and flags of this build runs, alone.
fn probe(out: &Path, arguments: &[String]) -> Option<bool> {
    let (source, program) = (out.join("probe.rs"), out.join("probe"));
    fs::write(&source, PROBE).ok()?;
    let mut rustc = Command::new(variable("RUSTC")?);
    rustc.arg("--edition=2024").arg("--crate-name=probe").arg(&source).arg("-o").arg(&program);
    if let Some(linker) = read("RUSTC_LINKER") {
        rustc.arg(format!("-Clinker={linker}"));
    }
    rustc.args(read("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().split('\x1f').filter(|flag| !flag.is_empty()));
    // What the real link asks for besides, in the same mode: one shared library among them spoils the program.
    let besides = ["-Wl,-Bdynamic", "-lz", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];
    rustc.args(arguments.iter().map(String::as_str).chain(besides).map(|argument| format!("-Clink-arg={argument}")));
    Some(succeeds(&mut rustc) && succeeds(&mut Command::new(&program)))
}

fn succeeds(command: &mut Command) -> bool {
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn read(name: &str) -> Option<String> {
    variable(name)?.into_string().ok()
}

#[expect(clippy::disallowed_methods, reason = "cargo speaks to build scripts through the environment")]
fn variable(name: &str) -> Option<OsString> {
    env::var_os(name)
}

fn say(instruction: &str) {
    println!("cargo:{instruction}");
}
