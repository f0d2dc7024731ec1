//! Fair division of a byte budget: small needs are met fully before large ones are cut.

/// The share of each in `room`, in order where there is not enough for `least` each: no smaller share is given, unless
/// less is needed. All in bytes.
pub(super) fn shares(needs: &[usize], room: usize, least: usize) -> Vec<usize> {
    let mut shares = vec![0; needs.len()];
    let mut order: Vec<usize> = (0..served(needs, room, least)).collect();
    order.sort_by_key(|at| needs[*at]);
    let (count, mut left) = (order.len(), room);
    for (done, at) in order.into_iter().enumerate() {
        shares[at] = needs[at].min(left / (count - done));
        left -= shares[at];
    }
    shares
}

/// Number of leading entries that can each have a useful share.
fn served(needs: &[usize], room: usize, least: usize) -> usize {
    let mut left = room;
    let fits = |need: &&usize| {
        let least = least.min(**need);
        let fits = least <= left;
        left = left.saturating_sub(least);
        fits
    };
    needs.iter().take_while(fits).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_needs_are_met_before_large_ones_are_cut() {
        assert_eq!(shares(&[1000, 200, 1000], 1000, 120), [400, 200, 400]);
        assert_eq!(shares(&[10, 20], 1000, 120), [10, 20]);
        assert_eq!(
            shares(&[500, 500, 500], 250, 120),
            [125, 125, 0],
            "two useful shares instead of three useless ones"
        );
        assert_eq!(shares(&[], 100, 120), [0usize; 0]);
        assert_eq!(shares(&[300], 100, 120), [0]);
    }

    proptest! {
        #[test]
        fn no_share_exceeds_the_need_and_all_not_more_than_there_is(
            needs in prop::collection::vec(0usize..3000, 0..40), room in 0usize..20_000,
        ) {
            let given = shares(&needs, room, 120);
            prop_assert!(given.iter().sum::<usize>() <= room);
            prop_assert!(given.iter().zip(&needs).all(|(given, need)| given <= need));
            if needs.iter().sum::<usize>() <= room {
                prop_assert_eq!(given, needs);
            }
        }
    }
}
