//! Migrations and static files are embedded; a new one must cause a new build.
fn main() {
    println!("cargo:rerun-if-changed=migrations");
    println!("cargo:rerun-if-changed=static");
}
