//! The commits that are measured: small, wide, long, binary, renamed, with a huge lockfile.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use crate::report::Result;

/// Writes the state before (false) and after (true) the commit that is measured.
pub type Writer = fn(&Path, bool) -> Result<()>;

pub const CASES: [(&str, Writer); 7] = [
    ("one file", one_file),
    ("500 files, 100k lines each way", many_files),
    ("500 renames with edits", renames),
    ("1 MB of text rewritten", rewritten),
    ("200 MB binary", binary),
    ("1M-line file", million_lines),
    ("200 lines of source, 50 MB of lockfile", lockfile),
];

fn one_file(dir: &Path, after: bool) -> Result<()> {
    let body = if after { "    let answer = 42;\n    answer + 1" } else { "    let answer = 41;\n    answer" };
    let text: String = (0..40).map(|n| format!("fn number_{n}() -> u32 {{\n{body}\n}}\n\n")).collect();
    Ok(std::fs::write(dir.join("lib.rs"), text)?)
}

fn many_files(dir: &Path, after: bool) -> Result<()> {
    for file in 0..500 {
        let mut out = BufWriter::new(File::create(dir.join(format!("module_{file:03}.rs")))?);
        for line in 0..200 {
            writeln!(out, "    let value_{line} = compute({file}, {line}, {after});")?;
        }
    }
    Ok(())
}

fn renames(dir: &Path, after: bool) -> Result<()> {
    for file in 0..500 {
        let (old, new) = (dir.join(format!("old_{file}.rs")), dir.join(format!("new_{file}.rs")));
        if after {
            std::fs::remove_file(&old)?;
        }
        let mut out = BufWriter::new(File::create(if after { new } else { old })?);
        for line in 0..100 {
            let edited = if after && line == 50 { "edited" } else { "same" };
            writeln!(out, "let value = compute({file}, {line}, {edited});")?;
        }
    }
    Ok(())
}

fn rewritten(dir: &Path, after: bool) -> Result<()> {
    let mut out = BufWriter::new(File::create(dir.join("big.rs"))?);
    for line in 0..12_000 {
        // Short repeated lines between unique ones: what a diff algorithm likes least.
        writeln!(out, "    call({}, {after});\n    }}\n", (line * 7919) % 12_000)?;
    }
    Ok(())
}

fn binary(dir: &Path, after: bool) -> Result<()> {
    let mut out = BufWriter::new(File::create(dir.join("model.bin"))?);
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let megabytes = if after { 200 } else { 1 };
    for _ in 0..megabytes << 17 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        out.write_all(&state.to_le_bytes())?;
    }
    Ok(())
}

fn million_lines(dir: &Path, after: bool) -> Result<()> {
    let mut out = BufWriter::new(File::create(dir.join("data.txt"))?);
    for line in 0..if after { 1_000_000 } else { 1_000 } {
        writeln!(out, "row {line}")?;
    }
    Ok(())
}

fn lockfile(dir: &Path, after: bool) -> Result<()> {
    std::fs::create_dir_all(dir.join("src"))?;
    for file in 0..8 {
        let mut out = BufWriter::new(File::create(dir.join(format!("src/module_{file}.ts")))?);
        for line in 0..100 {
            let value = if after && line % 4 == 0 { line * 7 } else { line };
            writeln!(out, "export function part{line}() {{ return {value} }}")?;
        }
    }
    let mut out = BufWriter::new(File::create(dir.join("package-lock.json"))?);
    let version = if after { "2.0.1" } else { "2.0.0" };
    for package in 0..400_000_u32 {
        let hash = package.wrapping_mul(2_654_435_761);
        writeln!(
            out,
            "    \"node_modules/package-{package}\": {{ \"version\": \"{version}\", \"integrity\": \"sha512-{hash:064x}\" }},"
        )?;
    }
    Ok(())
}
