//! A socket of a logged-in client that never blocks.
//!
//! Owns bytes on their way in and out. Must not know packets.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

use anyhow::{Result, bail};
use bytes::{Buf, Bytes, BytesMut};
use proto::frame::{self, Front, HEADER_BYTES};
use proto::limits::SERVER_FRAME_BYTES_MAX;

use crate::stream::Stream;

/// One non-blocking socket with its two ends of buffers.
///
/// `partial` holds less than one frame; `out` is bounded by the session's
/// window, whose messages it holds, and by one acknowledgement per read.
pub struct Connection {
    stream: Stream,
    partial: BytesMut,
    /// What comes is left where it is.
    pub deaf: bool,
    /// Frames that are to be written with the next [`Connection::flush`].
    pub out: BytesMut,
}

/// What a read gave.
pub struct Received {
    /// Whole frames, possibly none.
    pub frames: Bytes,
    /// How many bytes it took from the socket.
    pub count: usize,
    /// The socket may hold more.
    pub more: bool,
}

impl Connection {
    /// Takes over a socket, and what was read from it already.
    pub fn new(stream: Stream, received: BytesMut) -> Result<Self> {
        stream.socket().set_nonblocking(true)?;
        Ok(Self {
            stream,
            partial: received,
            deaf: false,
            out: BytesMut::new(),
        })
    }

    /// Reads once into `scratch`.
    pub fn read(&mut self, scratch: &mut [u8]) -> Result<Received> {
        let count = match self.stream.read(scratch) {
            Ok(0) => bail!("the server closed the connection"),
            Ok(count) => count,
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                return Ok(Received {
                    frames: Bytes::new(),
                    count: 0,
                    more: false,
                });
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => 0,
            Err(e) => return Err(e.into()),
        };
        let more = count == 0 || self.stream.may_hold_more(count, scratch.len());
        let read = &scratch[..count];
        let frames = if self.partial.is_empty() {
            let whole = whole_frames(read)?;
            self.partial.extend_from_slice(&read[whole..]);
            Bytes::copy_from_slice(&read[..whole])
        } else {
            self.partial.extend_from_slice(read);
            let whole = whole_frames(&self.partial)?;
            self.partial.split_to(whole).freeze()
        };
        Ok(Received {
            frames,
            count,
            more,
        })
    }

    /// Writes what is to be written, as far as the socket takes it. The rest
    /// waits until the socket has room.
    pub fn flush(&mut self) -> Result<()> {
        while !self.out.is_empty() {
            match self.stream.write(&self.out) {
                Ok(count) => self.out.advance(count),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(self.stream.flush()?)
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

/// Takes the content of the first frame out of whole frames.
pub fn next_content(frames: &mut Bytes) -> Option<Bytes> {
    match frame::front(frames, SERVER_FRAME_BYTES_MAX) {
        Ok(Front::Whole { end }) => {
            let mut content = frames.split_to(end);
            content.advance(HEADER_BYTES);
            Some(content)
        }
        _ => None,
    }
}

/// How many bytes at the front are whole frames.
pub fn whole_frames(bytes: &[u8]) -> Result<usize> {
    let mut whole = 0;
    while let Front::Whole { end } = frame::front(&bytes[whole..], SERVER_FRAME_BYTES_MAX)? {
        whole += end;
    }
    Ok(whole)
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_frame_in_pieces_is_whole_when_its_last_byte_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut server = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let client = listener.accept().unwrap().0;
        // The length of the first frame came with the log-in answer.
        let received = BytesMut::from(&[0, 0, 0][..]);
        let mut connection = Connection::new(Stream::Plain(client), received).unwrap();
        let mut seen = Vec::new();
        let mut scratch = [0; 16];
        for byte in [2, 8, 9, 0, 0, 0, 1, 7, 0] {
            server.write_all(&[byte]).unwrap();
            connection.stream.socket().set_nonblocking(false).unwrap();
            let mut frames = connection.read(&mut scratch).unwrap().frames;
            while let Some(content) = next_content(&mut frames) {
                seen.push((byte, content.to_vec()));
            }
        }
        assert_eq!(seen, [(9, vec![8, 9]), (7, vec![7])]);
        assert_eq!(&connection.partial[..], [0]);
    }
}
