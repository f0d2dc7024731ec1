//! in_hand
