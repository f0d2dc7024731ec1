//! A question in growing pieces: a server that cannot be stopped within a piece is free again at the end of one.

use super::render::Rendered;

/// Ends of ever longer beginnings of `rendered.question`, each about `bytes` longer than the one before and at the end
/// of a line, where tokens end too; the last one is all that is there ahead. Empty where nothing is.
#[must_use]
pub fn steps(rendered: &Rendered, bytes: usize) -> Vec<usize> {
    let mut ends = Vec::new();
    let (mut from, mut at) = (0, 0);
    for line in rendered.ahead().split_inclusive('\n') {
        at += line.len();
        if at - from >= bytes.max(1) {
            ends.push(at);
            from = at;
        }
    }
    if ends.last() != Some(&at) && at > 0 {
        ends.push(at);
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::SystemClock;
    use crate::domain::context::Context;
    use crate::facts::{self, sample};
    use crate::prompt::render;

    fn rendered() -> Rendered {
        let lines: String = (0..40).map(|n| format!("+    let value_{n} = compute(\u{e9}, {n});\n")).collect();
        let commit = sample::commit("Compute", vec![sample::file("src/a.rs", &format!("@@\n{lines}"))]);
        render::commit(&commit, &facts::of(&commit, &SystemClock), &Context::default(), &1000.into())
    }

    #[test]
    fn every_step_ends_with_a_line_and_the_last_one_is_all_that_is_there() {
        let rendered = rendered();
        for bytes in [0, 1, 100, 333, usize::MAX] {
            let ends = steps(&rendered, bytes);
            assert_eq!(ends.last(), Some(&rendered.fixed), "{bytes}");
            assert!(ends.iter().all(|end| rendered.question[..*end].ends_with('\n')), "{bytes}");
            assert!(ends.windows(2).all(|pair| pair[0] < pair[1]), "{bytes}");
        }
        let ends = steps(&rendered, 100);
        let lengths = ends.windows(2).map(|pair| pair[1] - pair[0]).collect::<Vec<_>>();
        assert!(lengths.len() > 8 && lengths[..lengths.len() - 1].iter().all(|step| (100..200).contains(step)));
        assert_eq!(steps(&rendered, usize::MAX).len(), 1);
    }

    #[test]
    fn of_what_is_not_known_ahead_there_is_no_step() {
        assert!(steps(&render::note("text", "p"), 100).is_empty());
    }
}
