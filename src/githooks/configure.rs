//! Plans adding our hooks to git's configuration, and removing them.

use std::path::Path;

use super::block::HookBlock;
use super::slot::is_program;
use super::{GithooksError, HookPlan, InstallStep, block, config_file};
use crate::domain::event::HOOKS;

/// Plans our lines in `file` with the command `program`, an absolute path. Empty if they are there already.
///
/// # Errors
/// `program` is not absolute, or `file` cannot be read.
pub fn plan_configure(file: &Path, program: &Path) -> Result<HookPlan, GithooksError> {
    if !program.is_absolute() || !is_program(program) {
        return Err(GithooksError::NotAProgram(program.to_owned()));
    }
    if find_block(file)?.is_some_and(|found| calls_program(&found, program)) {
        return Ok(HookPlan::default());
    }
    Ok(single_step(InstallStep::Configure { file: file.to_owned(), program: Some(program.to_owned()) }))
}

/// Plans the removal of our lines from `file`. Empty if there are none.
///
/// # Errors
/// `file` cannot be read.
pub fn plan_unconfigure(file: &Path) -> Result<HookPlan, GithooksError> {
    let Some(text) = config_file::read_config_file(file)? else { return Ok(HookPlan::default()) };
    if block::remove_block(&text).as_ref() == Some(&text) {
        return Ok(HookPlan::default());
    }
    Ok(single_step(InstallStep::Configure { file: file.to_owned(), program: None }))
}

/// Our hooks in `file`; `None` if there are none, or no file.
///
/// # Errors
/// `file` cannot be read.
pub fn find_block(file: &Path) -> Result<Option<HookBlock>, GithooksError> {
    Ok(config_file::read_config_file(file)?.and_then(|text| block::parse_block(&text)))
}

fn calls_program(found: &HookBlock, program: &Path) -> bool {
    found.disabled.is_empty() && HOOKS.iter().all(|hook| found.program(*hook) == Some(program))
}

fn single_step(step: InstallStep) -> HookPlan {
    HookPlan { steps: vec![step], notes: Vec::new() }
}
