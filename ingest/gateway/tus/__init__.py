"""tus 1.0.0 on the wire: its headers and extensions (https://tus.io/protocols/resumable-upload)."""
