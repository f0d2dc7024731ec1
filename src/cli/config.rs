//! `uro-capture config`: list, get and set settings.

use clap::{Args, Subcommand};
use serde::Serialize;
use toml::Value;

use super::app::App;
use super::failure::Failure;
use super::ui::{Align, DIM, Exit, Table};
use crate::config::{Loaded, SettingOrigin, edit};

#[derive(Debug, Clone, Args)]
#[command(arg_required_else_help = false)]
pub struct ConfigArgs {
    #[command(subcommand)]
    pub action: ConfigAction,
}

#[derive(Debug, Clone, Subcommand)]
pub enum ConfigAction {
    /// List all settings in force
    List {
        /// Show where each value came from
        #[arg(long)]
        origin: bool,
    },
    /// Print one setting
    Get {
        /// For example capture.budget
        key: String,
    },
    /// Change one setting in the user's file; comments stay
    Set {
        /// For example capture.budget
        key: String,
        /// For example 1500ms; a list is a,b
        value: String,
    },
    /// Print the path of the user's file
    Path,
}

/// One setting as JSON.
#[derive(Debug, Serialize)]
struct SettingEntry<'a> {
    key: &'a str,
    value: &'a Value,
    origin: String,
}

/// # Errors
/// The key or the value is wrong, or the file cannot be written.
pub fn run(app: &App, args: &ConfigArgs) -> Result<Exit, Failure> {
    match &args.action {
        ConfigAction::List { origin } => list(app, *origin)?,
        ConfigAction::Get { key } => get(app, key)?,
        ConfigAction::Set { key, value } => set(app, key, value)?,
        ConfigAction::Path => {
            let path = app.paths.config_file();
            if app.json {
                app.ui.json(&serde_json::json!({"path": path}))?;
            } else {
                app.ui.line(&path.display().to_string())?;
            }
        }
    }
    Ok(Exit::Done)
}

fn list(app: &App, origin: bool) -> Result<(), Failure> {
    let entries = entries(&app.loaded);
    if app.json {
        return app.ui.json(&entries);
    }
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    for entry in &entries {
        let setting = (format!("{} = {}", entry.key, entry.value), clap::builder::styling::Style::new());
        table.styled(if origin { vec![setting, (entry.origin.clone(), DIM)] } else { vec![setting] });
    }
    app.ui.table(&table)
}

fn get(app: &App, key: &str) -> Result<(), Failure> {
    let found = entries(&app.loaded).into_iter().find(|entry| entry.key == key);
    let Some(entry) = found else { return Err(not_set(key)) };
    match entry.value {
        _ if app.json => app.ui.json(&entry),
        Value::String(text) => app.ui.line(text),
        value => app.ui.line(&value.to_string()),
    }
}

fn not_set(key: &str) -> Failure {
    let message = match crate::config::keys::find_key(key) {
        Some(_) => format!("{key} is not set and has no built-in value"),
        None => format!("there is no key {key:?}"),
    };
    Failure::input(message).hint("uro-capture config list")
}

fn set(app: &App, key: &str, value: &str) -> Result<(), Failure> {
    let path = app.paths.config_file();
    edit::set_in_file(&path, key, value)?;
    if app.json {
        app.ui.json(&serde_json::json!({"key": key, "path": path}))?;
    }
    match app.loaded.origins.get(key) {
        Some(
            over @ (SettingOrigin::Repository { .. } | SettingOrigin::Environment { .. } | SettingOrigin::Flag { .. }),
        ) => {
            app.ui.warn(&format!("written, but {over} overrides it here"));
        }
        _ => app.ui.detail(&format!("written to {}", path.display())),
    }
    Ok(())
}

fn entries(loaded: &Loaded) -> Vec<SettingEntry<'_>> {
    let origin = |key: &str| loaded.origins.get(key).map(ToString::to_string).unwrap_or_default();
    loaded.values.iter().map(|(key, value)| SettingEntry { key, value, origin: origin(key) }).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Env, Overrides, Paths, load};

    #[test]
    fn each_setting_is_listed_with_its_origin() {
        let over = Overrides { env: Env::from_pairs(&[("URO_CAPTURE_BUDGET", "3s")]), flags: Vec::new() };
        let loaded = load(&Paths::from_home(Path::new("/nowhere")), &[], &over).unwrap();
        let json = serde_json::to_value(entries(&loaded)).unwrap();
        let budget = json.as_array().unwrap().iter().find(|entry| entry["key"] == "capture.budget").unwrap();
        assert_eq!(budget["value"], "3s");
        assert_eq!(budget["origin"], "environment variable URO_CAPTURE_BUDGET");
    }

    #[test]
    fn a_key_without_a_value_is_told_from_one_that_does_not_exist() {
        assert!(not_set("models.blog").message.contains("no built-in value"));
        assert!(not_set("models.bolg").message.contains("no key"));
    }
}
