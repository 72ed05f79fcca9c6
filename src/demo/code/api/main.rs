//! The public API of Acme.

mod orders;

fn main() {
    let listen = std::env::args().nth(2).unwrap_or_else(|| "127.0.0.1:9000".into());
    println!("listening on {listen}");
    for order in orders::newest(20) {
        println!("{order:?}");
    }
}
