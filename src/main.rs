//! The command line program; everything is in the library.

fn main() -> std::process::ExitCode {
    uro_capture::cli::main()
}
