//! The `latchkey` program: everything it does is in the library.

use std::process::ExitCode;

/// The system's own keeps what each thread has ever needed, and hashing a password takes 19 MiB.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    latchkey::cli::main()
}
