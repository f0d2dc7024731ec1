//! Git hook entry point: appends one record to the spool, rings the sidecar's doorbell and exits.
//!
//! A commit never waits for the hook and never fails because of it: every failure is silent. The hook uses only
//! the standard library and reads the environment here, once.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::spool::record::{MAX_REWRITES, Record};
use crate::spool::writer;

use self::bell::RingResult;
use self::paths::HookPaths;

pub mod bell;
pub mod head;
pub mod paths;
pub mod sentinel;
pub mod start;
#[cfg(test)]
pub mod test_program;

/// Hook names under which git calls the linked program. Hook managers rename an existing hook and call it
/// themselves, as `post-commit.legacy` or `post-commit.old`.
const NAMES: [&str; 4] = ["post-commit", "post-merge", "post-rewrite", "post-applypatch"];
/// Length limit of a hook's argument; git passes one word.
const MAX_ARGUMENT: usize = 64;

/// All inputs of the hook.
#[derive(Debug)]
pub struct Call<'a> {
    /// Start time of the program.
    pub now: SystemTime,
    /// Arguments, including the program's own name.
    pub args: &'a [OsString],
    /// Working directory, absolute.
    pub cwd: &'a Path,
    /// The program's own real path; the sidecar is in the same directory.
    pub program: Option<PathBuf>,
    /// Environment variables.
    pub env: &'a [(OsString, OsString)],
}

/// Outcome of a call, for tests; git never sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookOutcome {
    /// `URO_SKIP` is set.
    Skipped,
    /// Nothing to report, or no place for the record: no hook name, no repository or no home.
    Nothing,
    /// Result of ringing, and whether the record was spooled.
    Reported { spooled: bool, ring: RingResult },
    /// No process listened, and the sidecar was started.
    Started { spooled: bool },
}

/// Runs the hook from call to exit. Only post-rewrite reads `stdin`.
pub fn run_hook(call: &Call<'_>, stdin: &mut dyn Read) -> HookOutcome {
    if call.var("URO_SKIP").is_some_and(|value| !value.is_empty() && value != "0") {
        call.record_skip();
        return HookOutcome::Skipped;
    }
    let (Some(record), Some(places)) = (call.record(stdin), HookPaths::from_env(|name| call.path_var(name))) else {
        return HookOutcome::Nothing;
    };
    let spooled = writer::append(&places.spool, &record).is_ok();
    let ring = bell::ring(&places.bell());
    // Also with a full queue: that of a stopped sidecar stays full. A busy sidecar answers the new one, which
    // exits.
    if ring != RingResult::Delivered && call.start_sidecar(&places) {
        HookOutcome::Started { spooled }
    } else {
        HookOutcome::Reported { spooled, ring }
    }
}

impl Call<'_> {
    /// Records a commit that must not be captured, for the later scan of git's logs. The doorbell stays silent.
    fn record_skip(&self) {
        let makes_one = self.hook_name().is_some_and(|(name, _)| name != "post-rewrite");
        let places = HookPaths::from_env(|name| self.path_var(name)).filter(|_| makes_one);
        let record = places.as_ref().and_then(|_| self.record(&mut io::empty()));
        if let (Some(places), Some(record)) = (places, record) {
            // If the record cannot be written, the commit is captured after all.
            let _ = writer::append(&places.skipped, &record);
        }
    }

    fn record(&self, stdin: &mut dyn Read) -> Option<Record> {
        let (event, argument) = self.hook_name()?;
        let git_dir = head::git_dir(self.var("GIT_DIR").as_deref(), self.cwd)?;
        let oid = head::read_head(&git_dir);
        let rewrites = match (event, argument.map(OsStr::as_bytes)) {
            ("post-rewrite", _) => read_rewrites(stdin),
            // A squash merge: read its commits now, since the next commit deletes the list.
            ("post-merge", Some(b"1")) => head::squashed_commits(&git_dir, oid.as_deref()),
            _ => Vec::new(),
        };
        let age = self.now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Some(Record {
            stamp_ns: u64::try_from(age.as_nanos()).unwrap_or(u64::MAX),
            oid,
            rewrites,
            in_sequence: head::in_sequence(&git_dir),
            event: event.to_owned(),
            argument: argument
                .and_then(|word| word.to_str())
                .filter(|word| word.len() <= MAX_ARGUMENT)
                .map(str::to_owned),
            git_dir,
            unknown: Vec::new(),
        })
    }

    /// The hook's name and first argument, from the program name or from a shim's arguments.
    fn hook_name(&self) -> Option<(&'static str, Option<&OsStr>)> {
        let own = self.args.first().map(Path::new).and_then(Path::file_name);
        // Without a hook manager's suffix.
        let own = own.and_then(|file| file.as_bytes().split(|byte| *byte == b'.').next()).and_then(find_hook_name);
        match own {
            Some(name) => Some((name, self.arg(1))),
            None => Some((find_hook_name(self.arg(1)?.as_bytes())?, self.arg(2))),
        }
    }

    fn arg(&self, index: usize) -> Option<&OsStr> {
        self.args.get(index).map(OsString::as_os_str)
    }

    fn var(&self, name: &str) -> Option<OsString> {
        self.env.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }

    /// A path variable, made absolute: the sidecar starts in another directory, where a relative `URO_HOME` would
    /// point elsewhere.
    fn path_var(&self, name: &str) -> Option<OsString> {
        let value = self.var(name)?;
        let is_home = name == paths::HOME && !value.is_empty();
        Some(if is_home { self.cwd.join(value).into() } else { value })
    }

    fn start_sidecar(&self, places: &HookPaths) -> bool {
        let mut changes: Vec<start::EnvChange> =
            self.env.iter().filter_map(|(name, _)| start::remove_git_variable(name)).collect();
        changes.extend(self.path_var(paths::HOME).map(|home| (paths::HOME.into(), Some(home))));
        self.program
            .as_deref()
            .is_some_and(|program| start::start(program, &places.run.join("start.stamp"), self.now, changes))
    }
}

fn find_hook_name(name: &[u8]) -> Option<&'static str> {
    NAMES.into_iter().find(|candidate| name == candidate.as_bytes())
}

/// Reads git's list of rewritten commits. The rest of an overlong list is drained, so that git can finish writing.
fn read_rewrites(stdin: &mut dyn Read) -> Vec<u8> {
    let mut pairs = Vec::new();
    let limit = MAX_REWRITES as u64 + 1;
    if stdin.take(limit).read_to_end(&mut pairs).is_ok() && pairs.len() as u64 == limit {
        let _ = io::copy(stdin, &mut io::sink());
    }
    pairs
}

/// Reads the process's inputs and runs the hook.
#[expect(clippy::disallowed_methods, reason = "the hook reads clock and environment itself: once, here")]
pub fn serve() -> Option<HookOutcome> {
    let now = SystemTime::now();
    let args: Vec<OsString> = std::env::args_os().collect();
    let env: Vec<(OsString, OsString)> = std::env::vars_os().collect();
    let cwd = std::env::current_dir().ok()?;
    let call = Call { now, args: &args, cwd: &cwd, program: std::env::current_exe().ok(), env: &env };
    let is_sentinel = args.len() == 2 && call.arg(1).is_some_and(|word| word == sentinel::WORD);
    if let (None, Some(program), true) = (call.hook_name(), &call.program, is_sentinel) {
        sentinel::run_sentinel(program, &env);
        return None;
    }
    Some(run_hook(&call, &mut io::stdin().lock()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixDatagram;
    use std::time::Duration;

    use super::*;
    use crate::spool::ACTIVE;
    use crate::spool::reader::read_from;

    const OID: &str = "0123456789abcdef0123456789abcdef01234567";

    /// A home and a repository in git's layout, made without git.
    struct HookFixture {
        root: tempfile::TempDir,
        env: Vec<(OsString, OsString)>,
    }

    impl HookFixture {
        fn new() -> Self {
            let root = tempfile::tempdir().expect("a directory");
            let git_dir = root.path().join("work/.git");
            fs::create_dir_all(git_dir.join("refs/heads")).expect("created");
            fs::write(git_dir.join("HEAD"), "ref: refs/heads/main\n").expect("written");
            fs::write(git_dir.join("refs/heads/main"), format!("{OID}\n")).expect("written");
            let env = vec![("URO_HOME".into(), root.path().join("home").into())];
            Self { root, env }
        }

        fn with(mut self, name: &str, value: &str) -> Self {
            self.env.insert(0, (name.into(), value.into()));
            self
        }

        fn call(&self, args: &[&str], stdin: &mut dyn Read) -> HookOutcome {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let cwd = self.root.path().join("work");
            let now = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_700_000_000_000_000_001);
            run_hook(&Call { now, args: &args, cwd: &cwd, program: None, env: &self.env }, stdin)
        }

        fn records(&self) -> Vec<Record> {
            let path = self.root.path().join("home/state/spool").join(ACTIVE);
            read_from(&path, 0, usize::MAX).map(|batch| batch.records).unwrap_or_default()
        }
    }

    /// A stdin that fails the test when read: a terminal would never reach its end.
    struct Forbidden;

    impl Read for Forbidden {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            panic!("stdin is read for post-rewrite alone")
        }
    }

    const ABSENT: HookOutcome = HookOutcome::Reported { spooled: true, ring: RingResult::NoListener };

    #[test]
    fn a_commit_leaves_one_record() {
        let stage = HookFixture::new();
        assert_eq!(stage.call(&[".git/hooks/post-commit"], &mut Forbidden), ABSENT);
        let expected = Record {
            stamp_ns: 1_700_000_000_000_000_001,
            git_dir: stage.root.path().join("work/.git"),
            event: "post-commit".into(),
            oid: Some(OID.into()),
            ..Record::default()
        };
        assert_eq!(stage.records(), [expected]);
    }

    #[test]
    fn a_shim_tells_the_hooks_name_and_its_arguments_follow() {
        let stage = HookFixture::new();
        stage.call(&["/opt/uro-hook", "post-merge", "1"], &mut Forbidden);
        stage.call(&["/opt/uro-hook", "post-applypatch"], &mut Forbidden);
        let records: Vec<_> = stage.records().into_iter().map(|record| (record.event, record.argument)).collect();
        assert_eq!(records, [("post-merge".into(), Some("1".into())), ("post-applypatch".into(), None)]);
    }

    #[test]
    fn a_hook_that_another_manager_renamed_knows_its_name() {
        let stage = HookFixture::new();
        stage.call(&[".git/hooks/post-commit.legacy"], &mut Forbidden);
        stage.call(&[".git/hooks/post-merge.old", "1"], &mut Forbidden);
        stage.call(&[".git/hooks/post-applypatch.pre-uro.bak"], &mut Forbidden);
        let records: Vec<_> = stage.records().into_iter().map(|record| (record.event, record.argument)).collect();
        let merge = ("post-merge".into(), Some("1".into()));
        assert_eq!(records, [("post-commit".into(), None), merge, ("post-applypatch".into(), None)]);
        assert_eq!(stage.call(&["pre-commit.old"], &mut Forbidden), HookOutcome::Nothing);
    }

    #[test]
    fn rewrites_arrive_as_git_wrote_them() {
        let stage = HookFixture::new();
        let pairs = format!("{OID} {}\n", "b".repeat(40));
        stage.call(&["post-rewrite", "amend"], &mut pairs.as_bytes());
        let records = stage.records();
        assert_eq!(records[0].rewrites, pairs.as_bytes());
        assert_eq!(records[0].argument.as_deref(), Some("amend"));
    }

    #[test]
    fn an_overlong_list_of_rewrites_is_read_to_its_end_and_kept_to_the_cap() {
        let stage = HookFixture::new();
        let line = format!("{OID} {OID}\n");
        let mut stdin = io::Cursor::new(line.repeat(80_000));
        stage.call(&["post-rewrite", "rebase"], &mut stdin);
        assert_eq!(stdin.position(), stdin.get_ref().len() as u64);
        let kept = stage.records()[0].rewrites.len();
        assert!(kept <= MAX_REWRITES && kept.is_multiple_of(line.len()) && kept > 0);
    }

    #[test]
    fn a_sequence_in_progress_is_told() {
        let stage = HookFixture::new();
        fs::create_dir(stage.root.path().join("work/.git/rebase-merge")).expect("created");
        stage.call(&["post-commit"], &mut Forbidden);
        assert!(stage.records()[0].in_sequence);
    }

    #[test]
    fn the_bell_is_rung_after_the_record_is_there() {
        let stage = HookFixture::new();
        let run = stage.root.path().join("home/run");
        fs::create_dir_all(&run).expect("created");
        let listener = UnixDatagram::bind(run.join("bell.sock")).expect("bound");
        assert_eq!(
            stage.call(&["post-commit"], &mut Forbidden),
            HookOutcome::Reported { spooled: true, ring: RingResult::Delivered }
        );
        listener.recv(&mut [0; 8]).expect("rung");
        assert_eq!(stage.records().len(), 1);
    }

    #[test]
    fn uro_skip_makes_it_report_nothing_and_leave_word_of_the_commit_alone() {
        let stage = HookFixture::new().with("URO_SKIP", "1");
        assert_eq!(stage.call(&["post-rewrite"], &mut Forbidden), HookOutcome::Skipped);
        assert!(!stage.root.path().join("home").exists());
        assert_eq!(stage.call(&["post-commit"], &mut Forbidden), HookOutcome::Skipped);
        assert!(stage.root.path().join("home/state/skipped/events.log").exists());
        assert!(!stage.root.path().join("home/state/spool").exists());
    }

    #[test]
    fn uro_skip_set_to_zero_or_nothing_is_not_set() {
        assert_eq!(HookFixture::new().with("URO_SKIP", "0").call(&["post-commit"], &mut Forbidden), ABSENT);
        assert_eq!(HookFixture::new().with("URO_SKIP", "").call(&["post-commit"], &mut Forbidden), ABSENT);
    }

    #[test]
    fn a_relative_uro_home_is_meant_from_where_git_runs_it() {
        let mut stage = HookFixture::new();
        stage.env = vec![("URO_HOME".into(), "../home".into())];
        assert_eq!(stage.call(&["post-commit"], &mut Forbidden), ABSENT);
        assert_eq!(stage.records().len(), 1);
    }

    #[test]
    fn other_names_no_repository_and_no_home_yield_nothing() {
        let stage = HookFixture::new();
        for args in [&[][..], &["uro-hook"], &["uro-hook", "pre-commit"], &["uro-hook", "--help"]] {
            assert_eq!(stage.call(args, &mut Forbidden), HookOutcome::Nothing, "{args:?}");
        }
        let nowhere = HookFixture::new().with("GIT_DIR", "/nonexistent");
        assert_eq!(nowhere.call(&["post-commit"], &mut Forbidden), HookOutcome::Nothing);
        let homeless = HookFixture { env: Vec::new(), ..HookFixture::new() };
        assert_eq!(homeless.call(&["post-commit"], &mut Forbidden), HookOutcome::Nothing);
    }

    #[test]
    fn a_place_that_cannot_be_written_is_borne() {
        let stage = HookFixture::new();
        fs::write(stage.root.path().join("home"), "a file where a directory should be").expect("written");
        let outcome = stage.call(&["post-commit"], &mut Forbidden);
        assert_eq!(outcome, HookOutcome::Reported { spooled: false, ring: RingResult::NoListener });
    }
}
