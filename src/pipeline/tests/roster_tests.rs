//! roster_tests
