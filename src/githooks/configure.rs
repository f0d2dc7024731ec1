//! Plans adding our hooks to git's configuration, and removing them.

use std::path::Path;

use super::block::Block;
use super::slot::is_program;
use super::{GithooksError, Plan, Step, block, config_file};
use crate::domain::event::HOOKS;

/// Plans our lines in `file` with the command `program`, an absolute path. Empty if they are there already.
///
/// # Errors
/// `program` is not absolute, or `file` cannot be read.
pub fn plan_configure(file: &Path, program: &Path) -> Result<Plan, GithooksError> {
    if !program.is_absolute() || !is_program(program) {
        return Err(GithooksError::NotAProgram(program.to_owned()));
    }
    if configured(file)?.is_some_and(|found| calls(&found, program)) {
        return Ok(Plan::default());
    }
    Ok(one(Step::Configure { file: file.to_owned(), program: Some(program.to_owned()) }))
}

/// Plans the removal of our lines from `file`. Empty if there are none.
///
/// # Errors
/// `file` cannot be read.
pub fn plan_unconfigure(file: &Path) -> Result<Plan, GithooksError> {
    let Some(text) = config_file::read(file)? else { return Ok(Plan::default()) };
    if block::removed(&text).as_ref() == Some(&text) {
        return Ok(Plan::default());
    }
    Ok(one(Step::Configure { file: file.to_owned(), program: None }))
}

/// Our hooks in `file`; `None` if there are none, or no file.
///
/// # Errors
/// `file` cannot be read.
pub fn configured(file: &Path) -> Result<Option<Block>, GithooksError> {
    Ok(config_file::read(file)?.and_then(|text| block::read(&text)))
}

fn calls(found: &Block, program: &Path) -> bool {
    found.disabled.is_empty() && HOOKS.iter().all(|hook| found.program(*hook) == Some(program))
}

fn one(step: Step) -> Plan {
    Plan { steps: vec![step], notes: Vec::new() }
}
