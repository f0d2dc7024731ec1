//! Checksum over user-written text: SQLite's own `quick_check` does not detect damage inside a page.

/// FNV-1a, 64 bits, over each part and its length, so that text moved between parts is detected too.
///
/// Protects against bit rot and torn pages, not against an attacker.
pub fn of(parts: &[&str]) -> i64 {
    let bytes = parts.iter().flat_map(|part| part.bytes().chain((part.len() as u64).to_le_bytes()));
    crate::text::hash::fnv1a(bytes).cast_signed()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn every_byte_and_every_boundary_counts() {
        let sum = of(&["abc", "def"]);
        assert_eq!(sum, of(&["abc", "def"]));
        assert_ne!(sum, of(&["abd", "def"]));
        assert_ne!(sum, of(&["abcd", "ef"]));
        assert_ne!(of(&["", "a"]), of(&["a", ""]));
    }
}
