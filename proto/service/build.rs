//! Generates the gRPC services without a system protoc. Packets and envelopes
//! are those of the `proto` crate.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for file in [
        "service.proto",
        "admin.proto",
        "../client.proto",
        "../link.proto",
    ] {
        println!("cargo:rerun-if-changed={file}");
    }
    let files = protox::compile(["service.proto", "admin.proto"], [".", ".."])?;
    tonic_prost_build::configure()
        // Shells build their channels themselves; a generated `connect` would
        // stand beside the one of `Link`.
        .build_transport(false)
        .bytes(".")
        .extern_path(".im.client", "::proto::wire::client")
        .extern_path(".im.link", "::proto::wire::link")
        .compile_fds(files)?;
    Ok(())
}
