//! A tar archive, written and read as a stream: entries of known size, one after the other (POSIX ustar).

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const BLOCK: usize = 512;

/// Writes an archive.
pub(super) struct Writer<W> {
    out: W,
    /// Seconds since 1970, of all entries.
    time: u64,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    pub(super) fn new(out: W, time: u64) -> Self {
        Self { out, time }
    }

    /// Adds a file; its name has at most 100 bytes.
    pub(super) async fn add(&mut self, name: &str, content: &[u8]) -> std::io::Result<()> {
        self.out
            .write_all(&header(name, content.len(), self.time)?)
            .await?;
        self.out.write_all(content).await?;
        let padding = content.len().next_multiple_of(BLOCK) - content.len();
        self.out.write_all(&[0; BLOCK][..padding]).await
    }

    /// Two empty blocks are the end.
    pub(super) async fn finish(mut self) -> std::io::Result<()> {
        self.out.write_all(&[0; 2 * BLOCK]).await?;
        self.out.flush().await
    }
}

fn header(name: &str, size: usize, time: u64) -> std::io::Result<[u8; BLOCK]> {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, length: usize, text: &str| {
        let field = block.get_mut(at..at + length);
        match field.and_then(|field| field.get_mut(..text.len())) {
            Some(place) => {
                place.copy_from_slice(text.as_bytes());
                Ok(())
            }
            None => Err(std::io::Error::other(
                "an archive's entry has too long a name or size",
            )),
        }
    };
    put(0, 100, name)?;
    put(100, 8, "0000600\0")?;
    put(108, 8, "0000000\0")?;
    put(116, 8, "0000000\0")?;
    put(124, 12, &format!("{size:011o}\0"))?;
    put(136, 12, &format!("{time:011o}\0"))?;
    put(148, 8, "        ")?;
    put(156, 1, "0")?;
    put(257, 8, "ustar\x0000")?;
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(block)
}

/// Reads an archive.
pub(super) struct Reader<R> {
    from: R,
    /// What is left of the entry, and of its last block.
    left: u64,
    padding: u64,
}

/// An entry, whose content comes next.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EntryHead {
    pub(super) name: String,
    pub(super) size: u64,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    pub(super) fn new(from: R) -> Self {
        Self {
            from,
            left: 0,
            padding: 0,
        }
    }

    /// The next entry; none at the end. What is left of the one before is passed over.
    pub(super) async fn next(&mut self) -> std::io::Result<Option<EntryHead>> {
        let rest = self.left + self.padding;
        let passed =
            tokio::io::copy(&mut (&mut self.from).take(rest), &mut tokio::io::sink()).await?;
        if passed < rest {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        let mut block = [0; BLOCK];
        self.from.read_exact(&mut block).await?;
        if block == [0; BLOCK] {
            return Ok(None);
        }
        let head = read_header(&block).ok_or_else(|| {
            std::io::Error::other("this is no archive that `tenantry tenant export` has made")
        })?;
        self.left = head.size;
        self.padding = head.size.next_multiple_of(BLOCK as u64) - head.size;
        Ok(Some(head))
    }

    /// A piece of the entry's content; empty at its end.
    pub(super) async fn piece(&mut self) -> std::io::Result<Vec<u8>> {
        let length = usize::try_from(self.left.min(1 << 16)).unwrap_or(1 << 16);
        let mut piece = vec![0; length];
        self.from.read_exact(&mut piece).await?;
        self.left -= length as u64;
        Ok(piece)
    }

    /// The whole of an entry that is known to be small.
    pub(super) async fn whole(&mut self, most: u64) -> std::io::Result<Vec<u8>> {
        if self.left > most {
            return Err(std::io::Error::other(
                "an entry of the archive is too large",
            ));
        }
        let mut whole = Vec::new();
        while self.left > 0 {
            whole.extend(self.piece().await?);
        }
        Ok(whole)
    }
}

fn read_header(block: &[u8; BLOCK]) -> Option<EntryHead> {
    let text = |at: usize, length: usize| {
        let field = block.get(at..at + length)?;
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(length);
        std::str::from_utf8(&field[..end]).ok()
    };
    let number = |at, length| u64::from_str_radix(text(at, length)?.trim(), 8).ok();
    let fields = block.iter().enumerate();
    let sum: u64 = fields
        .map(|(at, byte)| {
            if (148..156).contains(&at) {
                32
            } else {
                u64::from(*byte)
            }
        })
        .sum();
    (number(148, 8)? == sum && text(257, 5)? == "ustar").then_some(EntryHead {
        name: text(0, 100)?.to_owned(),
        size: number(124, 12)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_and_tar_reads_it_too() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, 1_700_000_000);
        let large = vec![b'x'; 100_000];
        writer.add("manifest.json", b"{}").await.unwrap();
        writer.add("tables/001-a/0001.csv", &large).await.unwrap();
        writer.add("empty", b"").await.unwrap();
        assert!(writer.add(&"x".repeat(101), b"").await.is_err());
        writer.finish().await.unwrap();

        let mut reader = Reader::new(&bytes[..]);
        let head = reader.next().await.unwrap().unwrap();
        assert_eq!((head.name.as_str(), head.size), ("manifest.json", 2));
        assert_eq!(
            reader.next().await.unwrap().unwrap().size,
            100_000,
            "the first is passed over"
        );
        assert!(reader.whole(10).await.is_err());
        assert_eq!(reader.whole(100_000).await.unwrap(), large);
        assert_eq!(reader.next().await.unwrap().unwrap().name, "empty");
        assert_eq!(reader.piece().await.unwrap(), b"");
        assert_eq!(reader.next().await.unwrap(), None);

        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes).unwrap();
        let tar = std::process::Command::new("tar")
            .arg("-tvf")
            .arg(file.path())
            .output()
            .unwrap();
        let listing = String::from_utf8(tar.stdout).unwrap();
        assert!(
            tar.status.success() && listing.contains("100000 2023-11-14"),
            "{listing}"
        );
    }

    #[tokio::test]
    async fn what_is_cut_off_or_something_else_is_an_error() {
        let mut bytes = Vec::new();
        let mut writer = Writer::new(&mut bytes, 0);
        writer.add("a", &[1; 600]).await.unwrap();
        for length in [0, 100, 600, 1100] {
            let mut reader = Reader::new(&bytes[..length]);
            let passed = async {
                while reader.next().await?.is_some() {}
                std::io::Result::Ok(())
            };
            assert!(passed.await.is_err(), "{length}");
        }
        let noise = [b'n'; 2048];
        assert!(Reader::new(&noise[..]).next().await.is_err());
    }
}
