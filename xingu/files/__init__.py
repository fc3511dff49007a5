"""Files on local disks and object storage: atomic writes, frames, digests."""
