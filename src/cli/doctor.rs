//! `uro-capture doctor`: health checks of everything a capture needs; each finding with a command that fixes it.

mod model_checks;
mod repositories;

use std::path::Path;

use clap::Args;
use serde::Serialize;

use super::app::App;
use super::failure::{Failure, quoted, repair_command};
use super::hooks;
use super::models::{self, EndpointView};
use super::ui::{BAD, DIM, Exit, GOOD, one_line};
use crate::config::{STORE_URL, SettingOrigin, paths};
use crate::hardware::Hardware;
use crate::hardware::power::Power;
use crate::pipeline::sizes::Sizes;
use crate::pipeline::template_cache;
use crate::sidecar::client;
use crate::sidecar::protocol::SidecarState;

#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {}

/// The public JSON of `doctor`.
#[derive(Debug, Serialize)]
pub struct DoctorReport {
    pub hardware: Hardware,
    pub findings: Vec<Finding>,
    /// Absent if the store cannot be read.
    pub sizes: Option<Sizes>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// `hardware`, `config`, `endpoints`, `hooks`, `store`, `spool`, `sidecar`.
    pub check: &'static str,
    pub ok: bool,
    pub what: String,
    /// The command that fixes it; absent if there is nothing to fix.
    pub fix: Option<String>,
}

impl Finding {
    fn passed(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, ok: true, what: what.into(), fix: None }
    }

    fn failed(check: &'static str, what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { check, ok: false, what: what.into(), fix: Some(fix.into()) }
    }

    fn from_failure(check: &'static str, failure: &Failure) -> Self {
        let causes: String = failure.causes.iter().map(|cause| format!(": {cause}")).collect();
        let fix = failure.hint.clone().unwrap_or_else(|| "uro-capture --help".to_owned());
        Self::failed(check, format!("{}{causes}", failure.message), fix)
    }
}

/// Memory below which a model of three billion weights (4-bit weights and context: about 2.5 GB) does not fit
/// beside other programs, in bytes.
const LITTLE_MEMORY: u64 = 3 << 30;
/// Runnable tasks per core above which a model must share its cores.
const BUSY: f64 = 1.5;

/// # Errors
/// Standard output cannot be written.
pub fn run(app: &App, _args: &DoctorArgs) -> Result<Exit, Failure> {
    let hardware = Hardware::measure();
    let (findings, sizes) = run_checks(app, &hardware);
    let report = DoctorReport { hardware, findings, sizes };
    if app.json {
        app.ui.json(&report)?;
    } else {
        app.ui.raw(text(app, &report).as_bytes())?;
    }
    Ok(if report.findings.iter().all(|finding| finding.ok) { Exit::Done } else { Exit::Degraded })
}

fn run_checks(app: &App, hardware: &Hardware) -> (Vec<Finding>, Option<Sizes>) {
    let mut findings = check_hardware(hardware);
    findings.push(check_settings(app));
    findings.extend(check_templates(app));
    findings.extend(check_endpoints(app));
    findings.extend(hooks::program(app).err().map(|failure| Finding::from_failure("hooks", &failure)));
    let (of_store, sizes) = repositories::check_store(app);
    findings.extend(of_store);
    if let Some(unused) = app.config().store.unused(&app.paths.database()) {
        findings.push(Finding::failed("store", unused, format!("uro-capture config set store.url {STORE_URL}")));
    }
    findings.push(check_writable("spool", &app.paths.spool()));
    findings.push(check_writable("sidecar", &app.paths.run));
    findings.push(check_sidecar(app));
    (findings, sizes)
}

fn check_hardware(hardware: &Hardware) -> Vec<Finding> {
    let gib = |bytes: Option<u64>| {
        bytes.map_or_else(|| "?".to_owned(), |bytes| format!("{:.1}", bytes as f64 / f64::from(1 << 30)))
    };
    let cores = if hardware.cores == 1 { "1 core".to_owned() } else { format!("{} cores", hardware.cores) };
    let load = hardware.load.map(|load| format!(", load {load:.1}")).unwrap_or_default();
    let what = format!("{} of {} GiB memory free, {cores}{load}", gib(hardware.ram_available), gib(hardware.ram_total));
    let mut findings = vec![match hardware.ram_available {
        Some(free) if free < LITTLE_MEMORY => Finding::failed(
            "hardware",
            format!("{what}: too little for a 3B model"),
            "use a model of at most 1.5B, or close something",
        ),
        _ => Finding::passed("hardware", what),
    }];
    if let Some(load) = hardware.load_per_core().filter(|load| *load > BUSY) {
        // High load is temporary and needs no fix.
        findings.push(Finding::passed("hardware", format!("{load:.1} tasks per core: models answer slower now")));
    }
    if let Power::Battery { percent } = hardware.power {
        let left = percent.map(|percent| format!(" ({percent} %)")).unwrap_or_default();
        findings.push(Finding::passed("hardware", format!("on battery{left}")));
    }
    findings
}

/// Checks the user's own capture templates; no finding without any.
fn check_templates(app: &App) -> Vec<Finding> {
    let folder = template_cache::folder(&app.paths);
    if !folder.exists() {
        return Vec::new();
    }
    let mend = format!("mend or remove it in {}", folder.display());
    let variants = template_cache::load(&folder);
    let wrong = variants.complaints().iter().map(|complaint| Finding::failed("config", complaint, &mend));
    let mut findings: Vec<Finding> = wrong.collect();
    if findings.is_empty() {
        findings.push(Finding::passed("config", folder.display().to_string()));
    }
    findings
}

fn check_settings(app: &App) -> Finding {
    match &app.broken_config {
        Some(error) => {
            let causes = std::error::Error::source(error).map(|cause| format!(": {cause}")).unwrap_or_default();
            Finding::failed("config", format!("{error}{causes}"), repair_command(error))
        }
        None if app.paths.config_file().exists() => {
            Finding::passed("config", app.paths.config_file().display().to_string())
        }
        None => Finding::passed(
            "config",
            format!("built-in settings; {} does not exist", app.paths.config_file().display()),
        ),
    }
}

fn check_endpoints(app: &App) -> Vec<Finding> {
    match models::list_endpoints(app) {
        Ok(views) => {
            let guessed =
                |index| app.loaded.origins.get(&format!("endpoints[{index}].url")) == Some(&SettingOrigin::BuiltIn);
            let mut findings = judge_endpoints(&views);
            findings.extend(model_checks::check_models(app.config(), &views, &guessed));
            findings
        }
        Err(failure) => vec![Finding::from_failure("endpoints", &failure)],
    }
}

/// One answering endpoint is enough; a configured model that none lists is reported.
fn judge_endpoints(views: &[EndpointView]) -> Vec<Finding> {
    let mut findings: Vec<Finding> = views.iter().filter(|view| view.up).map(judge_endpoint).collect();
    if findings.is_empty() {
        let looked: Vec<String> = views
            .iter()
            .map(|view| format!("{}: {}", view.endpoint, view.error.as_deref().unwrap_or("no answer")))
            .collect();
        let what = format!("no model server answers, captures keep the template ({})", looked.join("; "));
        return vec![Finding::failed("endpoints", what, models::repair_hint(views))];
    }
    for view in views.iter().filter(|view| view.refuses) {
        let what = format!("{} at {}: {}", view.endpoint, view.url, view.error.as_deref().unwrap_or_default());
        findings.push(Finding::failed("endpoints", what, view.hint.clone().unwrap_or_default()));
    }
    for view in views.iter().filter(|view| view.up) {
        for model in view.models.iter().filter(|model| !model.listed) {
            let roles: Vec<&str> = model.configured_for.iter().map(|role| role.as_str()).collect();
            let what =
                format!("{} does not offer {}, configured for {}", view.endpoint, model.offered.name, roles.join(", "));
            findings.push(Finding::failed("endpoints", what, format!("ollama pull {}", model.offered.name)));
        }
    }
    findings
}

fn judge_endpoint(view: &EndpointView) -> Finding {
    let listed = view.models.iter().filter(|model| model.listed && model.offered.completes).count();
    let models = if listed == 1 { "model" } else { "models" };
    let what = format!("{} at {} offers {listed} {models}", view.server.as_deref().unwrap_or("a server"), view.url);
    if listed == 0 {
        Finding::failed("endpoints", what, "ollama pull llama3.2:3b")
    } else {
        Finding::passed("endpoints", what)
    }
}

/// Permissions and free space of the directory, or of its nearest existing parent.
fn inspect_command(dir: &Path) -> String {
    let near = quoted(dir.ancestors().find(|dir| dir.exists()).unwrap_or(dir));
    format!("ls -ld {near}; df -h {near}")
}

/// Tests by writing: permissions, quotas and full disks show only then.
fn check_writable(check: &'static str, dir: &Path) -> Finding {
    let trial = dir.join(format!(".doctor-{}", std::process::id()));
    let tried = paths::create_private(dir)
        .and_then(|()| std::fs::write(&trial, b"x"))
        .and_then(|()| std::fs::remove_file(&trial));
    match tried {
        Ok(()) => Finding::passed(check, format!("{} can be written", dir.display())),
        Err(error) => {
            Finding::failed(check, format!("{} cannot be written: {error}", dir.display()), inspect_command(dir))
        }
    }
}

fn check_sidecar(app: &App) -> Finding {
    let status = client::status(&app.paths.run);
    let restart = "uro-capture sidecar stop && uro-capture sidecar start";
    match status.state {
        SidecarState::Stopped => Finding::passed("sidecar", "stopped (the next commit starts it)"),
        SidecarState::Unresponsive => Finding::failed("sidecar", "it runs and does not answer", restart),
        SidecarState::Running => match status.version.as_deref() {
            Some(version) if version != env!("CARGO_PKG_VERSION") => Finding::failed(
                "sidecar",
                format!("version {version} runs, this is {}", env!("CARGO_PKG_VERSION")),
                restart,
            ),
            _ => Finding::passed("sidecar", format!("running, process {}", status.pid.unwrap_or_default())),
        },
    }
}

fn text(app: &App, report: &DoctorReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        let mark = if finding.ok { app.ui.paint(GOOD, "ok  ") } else { app.ui.paint(BAD, "look") };
        let check = app.ui.paint(DIM, &format!("{:<9}", finding.check));
        out += &format!("{mark}  {check}  {}\n", one_line(&finding.what));
        if let Some(fix) = &finding.fix {
            out += &format!("                 {} {}\n", app.ui.paint(GOOD, "fix:"), one_line(fix));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hardware::pressure::Pressure;

    fn machine_with(ram_available: u64, load: f64, power: Power) -> Hardware {
        let pressure = Pressure::default();
        Hardware {
            ram_total: Some(16 << 30),
            ram_available: Some(ram_available),
            cores: 2,
            load: Some(load),
            pressure,
            power,
        }
    }

    #[test]
    fn a_machine_is_fine_unless_memory_is_short() {
        let fine = check_hardware(&machine_with(8 << 30, 0.4, Power::Mains));
        assert_eq!(fine, [Finding::passed("hardware", "8.0 of 16.0 GiB memory free, 2 cores, load 0.4")]);
        assert!(!check_hardware(&machine_with(1 << 30, 0.4, Power::Mains))[0].ok);
        let busy = check_hardware(&machine_with(8 << 30, 8.0, Power::Mains));
        assert!(busy[1].ok && busy[1].what.starts_with("4.0 tasks"), "a busy moment is no fault");
        let battery = check_hardware(&machine_with(8 << 30, 0.4, Power::Battery { percent: Some(41) }));
        assert!(battery[1].ok && battery[1].what.contains("41 %"));
    }

    #[test]
    fn a_directory_that_cannot_be_written_is_found_and_no_trace_is_left() {
        let top = tempfile::tempdir().unwrap();
        assert!(check_writable("spool", &top.path().join("spool")).ok);
        assert_eq!(std::fs::read_dir(top.path().join("spool")).unwrap().count(), 0);
        std::fs::write(top.path().join("file"), "").unwrap();
        let found = check_writable("spool", &top.path().join("file/spool"));
        assert!(!found.ok && found.fix.is_some());
    }

    #[test]
    fn what_does_not_exist_yet_is_looked_at_from_above() {
        let top = tempfile::tempdir().unwrap();
        let near = quoted(top.path());
        assert_eq!(inspect_command(&top.path().join("a/b")), format!("ls -ld {near}; df -h {near}"));
    }

    #[test]
    fn one_server_is_enough_and_none_is_told_with_where_was_looked() {
        let view = |up: bool| EndpointView {
            endpoint: "a".into(),
            url: "http://a".into(),
            api: None,
            server: up.then(|| "ollama".into()),
            version: None,
            up,
            hint: None,
            refuses: false,
            error: (!up).then(|| "nothing listens".into()),
            device: "this machine".into(),
            running: None,
            waiting: None,
            breaker: None,
            models: Vec::new(),
        };
        let none = judge_endpoints(&[view(false)]);
        assert!(!none[0].ok && none[0].what.contains("a: nothing listens"));
        let empty = judge_endpoints(&[view(true), view(false)]);
        assert_eq!(empty.len(), 1);
        assert!(!empty[0].ok, "a server without a model is a problem");
    }

    #[test]
    fn every_finding_that_is_wrong_has_a_fix() {
        let failure = Failure::input("x").because("y").hint("z");
        assert_eq!(Finding::from_failure("store", &failure), Finding::failed("store", "x: y", "z"));
        assert!(Finding::from_failure("store", &Failure::input("x")).fix.is_some());
    }
}
