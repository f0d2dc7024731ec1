//! `uro-capture sidecar`: controls the background process.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::app::App;
use super::failure::Failure;
use super::service;
use super::ui::Exit;
use crate::sidecar::protocol::{Attention, SidecarState, SidecarStatus};
use crate::sidecar::run::{ExitReason, Options};
use crate::sidecar::{client, launch, run};

#[derive(Debug, Args)]
#[command(arg_required_else_help = false)]
pub struct SidecarArgs {
    #[command(subcommand)]
    pub command: SidecarCommand,
}

#[derive(Debug, Subcommand)]
pub enum SidecarCommand {
    /// Serve in the foreground until told to stop or idle for long
    Run {
        /// Exit after this idle time; it stays while the commits of a registered repository are
        /// reported by no hook
        #[arg(long, value_name = "DURATION", default_value = "30m", value_parser = humantime::parse_duration)]
        idle: Duration,
        /// Never exit when idle (for service managers)
        #[arg(long)]
        service: bool,
        /// Detach from the terminal and close every inherited descriptor
        #[arg(long, hide = true)]
        detached: bool,
    },
    /// Start it in the background; returns when it answers
    Start,
    /// Finish the current work and exit
    Stop,
    /// Show whether it runs, and for how many repositories without working hooks it stays; exit code 3 when it does not
    Status,
    /// Make it a service of your session: systemd user units, or a launchd agent
    Install {
        /// Only list every file that would be written, and the commands that would be run
        #[arg(long)]
        dry_run: bool,
    },
    /// Remove what `install` wrote, except what was changed since
    Uninstall {
        /// Only list every file that would be removed, and the commands that would be run
        #[arg(long)]
        dry_run: bool,
    },
}

/// # Errors
/// The sidecar cannot be started, stopped or bound.
pub fn run(app: &App, args: &SidecarArgs) -> Result<Exit, Failure> {
    let run_dir = &app.paths.run;
    match args.command {
        SidecarCommand::Run { idle, service, .. } => {
            app.log_to_file()?;
            let idle = (!service).then_some(idle);
            if run::run(run_dir, Options { idle }, &app.clock, || app.open_services())? == ExitReason::AlreadyRunning {
                app.ui.note("another sidecar serves already");
            }
            Ok(Exit::Done)
        }
        SidecarCommand::Start => {
            let status = launch::start(run_dir, app.clock.as_ref())?;
            show(app, &status)
        }
        SidecarCommand::Stop => {
            let before = launch::stop(run_dir, app.clock.as_ref())?;
            if app.json {
                app.ui.json(&client::status(run_dir))?;
            } else if before.state == SidecarState::Stopped {
                app.ui.line("the sidecar was not running")?;
            } else {
                app.ui.line("the sidecar has stopped")?;
            }
            Ok(Exit::Done)
        }
        SidecarCommand::Install { dry_run } => service::install(app, dry_run),
        SidecarCommand::Uninstall { dry_run } => service::uninstall(app, dry_run),
        SidecarCommand::Status => show(app, &client::status(run_dir)),
    }
}

fn show(app: &App, status: &SidecarStatus) -> Result<Exit, Failure> {
    if app.json {
        app.ui.json(status)?;
    } else {
        app.ui.line(&describe_status(status))?;
    }
    Ok(if status.state == SidecarState::Running { Exit::Done } else { Exit::Degraded })
}

fn describe_status(status: &SidecarStatus) -> String {
    let pid = status.pid.unwrap_or(0);
    match status.state {
        SidecarState::Running => format!(
            "running (process {pid}, version {}, up {}, {} waiting{})",
            status.version.as_deref().unwrap_or("?"),
            humantime::format_duration(Duration::from_secs(status.uptime_s.unwrap_or(0))),
            status.queue_depth.unwrap_or(0),
            format_attention(status.attention.unwrap_or_default()),
        ),
        SidecarState::Unresponsive => {
            format!("process {pid} holds the lock and does not answer: uro-capture sidecar start replaces it")
        }
        SidecarState::Stopped => "stopped (the next commit starts it)".to_owned(),
    }
}

/// Printed only if commits are detected late, or by nothing else.
fn format_attention(attention: Attention) -> String {
    let repositories = |n| if n == 1 { "1 repository".to_owned() } else { format!("{n} repositories") };
    let mut words = String::new();
    if attention.polled > 0 {
        words += &format!(", {} looked at every few seconds", repositories(attention.polled));
    }
    if attention.depending > 0 {
        words += &format!(", stays for {} without hooks", repositories(attention.depending));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_status_reads_like_a_sentence() {
        let running = SidecarStatus {
            state: SidecarState::Running,
            version: Some("0.1.0".into()),
            pid: Some(7),
            uptime_s: Some(61),
            queue_depth: Some(0),
            attention: Some(Attention { watched: 3, watches: 9, ..Attention::default() }),
        };
        assert_eq!(describe_status(&running), "running (process 7, version 0.1.0, up 1m 1s, 0 waiting)");
        let attention = Attention { polled: 2, depending: 1, ..Attention::default() };
        let polling = describe_status(&SidecarStatus { attention: Some(attention), ..running });
        let end = "0 waiting, 2 repositories looked at every few seconds, stays for 1 repository without hooks)";
        assert!(polling.ends_with(end), "{polling}");
        let stopped = SidecarStatus {
            state: SidecarState::Stopped,
            version: None,
            pid: None,
            uptime_s: None,
            queue_depth: None,
            attention: None,
        };
        assert_eq!(describe_status(&stopped), "stopped (the next commit starts it)");
    }
}
