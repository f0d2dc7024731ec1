//! Making commits: as git does, as libgit2 does, ten thousand at once.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use git2::{ObjectType, Repository, Signature};
use uro_capture::domain::clock::{Clock, SystemClock};
use uro_capture::domain::id::Oid;

use crate::report::Result;
use crate::stage::Stage;

/// A few commits, so that there is something to look back at.
pub fn first(stage: &Stage) -> Result<()> {
    for round in 0..3 {
        std::fs::write(stage.work.join("file.txt"), format!("line {round}\n"))?;
        stage.command(Path::new("git")).args(["add", "file.txt"]).status()?;
        let mut command = stage.command(Path::new("git"));
        let status = command.env("URO_SKIP", "1").args(["commit", "-q", "-m", "Change a line"]).status()?;
        if !status.success() {
            return Err("git commit failed".into());
        }
    }
    Ok(())
}

/// A commit on top of the branch that nothing leads to yet.
pub struct Ready {
    repo: Repository,
    oid: git2::Oid,
}

impl Ready {
    pub fn make(work: &Path, text: &str) -> Result<Self> {
        let repo = Repository::open(work)?;
        let who = Signature::now("Bench", "bench@example.org")?;
        let oid = {
            let parent = repo.head()?.peel_to_commit()?;
            let mut tree = repo.treebuilder(Some(&parent.tree()?))?;
            let blob = repo.odb()?.write(ObjectType::Blob, text.as_bytes())?;
            tree.insert("file.txt", blob, 0o100_644)?;
            let tree = repo.find_tree(tree.write()?)?;
            repo.commit(None, &who, &who, "Change a line", &tree, &[&parent])?
        };
        Ok(Self { repo, oid })
    }

    pub fn oid(&self) -> Result<Oid> {
        Ok(self.oid.to_string().parse()?)
    }

    /// Moves the branch there, as libgit2 does: the logs, then the branch. Gives the moment before.
    pub fn go(self) -> Result<(Instant, Oid)> {
        let start = SystemClock.instant();
        self.repo.reference("refs/heads/main", self.oid, true, "commit: Change a line")?;
        Ok((start, self.oid.to_string().parse()?))
    }
}

/// Where the branch of this repository is.
pub fn tip(work: &Path) -> Result<Oid> {
    Ok(Repository::open(work)?.head()?.peel_to_commit()?.id().to_string().parse()?)
}

/// Lets `git fast-import` put so many commits upon `branch` of a repository, each a change of one of a hundred files.
pub fn import(stage: &Stage, work: &Path, branch: &str, commits: usize) -> Result<()> {
    let mut command = stage.command(Path::new("git"));
    let mut child = command.current_dir(work).args(["fast-import", "--quiet"]).stdin(Stdio::piped()).spawn()?;
    let mut stdin = child.stdin.take().ok_or("git takes nothing")?;
    stdin.write_all(stream(branch, commits)?.as_bytes())?;
    drop(stdin);
    if child.wait()?.success() { Ok(()) } else { Err("git fast-import failed".into()) }
}

fn stream(branch: &str, commits: usize) -> Result<String> {
    let now = SystemClock.now().as_second();
    let mut stream = String::new();
    for n in 0..commits {
        let message = format!("Change number {n} of {branch}\n");
        let text: String =
            (0..40).map(|line| format!("fn number_{line}() -> u32 {{\n    {}\n}}\n", n + line)).collect();
        writeln!(stream, "commit refs/heads/{branch}")?;
        writeln!(stream, "author Bench <bench@example.org> {now} +0000")?;
        writeln!(stream, "committer Bench <bench@example.org> {now} +0000")?;
        writeln!(stream, "data {}\n{message}", message.len())?;
        if n == 0 {
            writeln!(stream, "from refs/heads/main^0")?;
        }
        writeln!(stream, "M 100644 inline src/file_{}.rs\ndata {}\n{text}", n % 100, text.len())?;
    }
    Ok(stream)
}
