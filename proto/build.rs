//! Generates the wire types from the `.proto` files without a system protoc.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo:rerun-if-changed=client.proto");
    println!("cargo:rerun-if-changed=link.proto");
    let files = protox::compile(["client.proto", "link.proto"], ["."])?;
    prost_build::Config::new()
        // Bodies and ids are slices of the received frame, not copies.
        .bytes(["."])
        .compile_fds(files)?;
    Ok(())
}
