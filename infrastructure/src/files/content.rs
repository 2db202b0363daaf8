//! What a file is, told by its content while it comes in. Office files are containers (ZIP, or OLE in older ones) whose
//! beginning says no more than that; what tells them is the names of the parts that every one of them must have.

use memchr::memmem;

/// Bytes at the beginning that are kept.
const HEAD: usize = 8 * 1024;
/// The longest mark, bytes.
const LONGEST: usize = 32;

/// The parts that tell a container, and what each is for.
const MARKS: [&[u8]; 7] = [
    // Office Open XML (ECMA-376): a list of types, and the folder of the document or the workbook.
    b"[Content_Types].xml",
    b"word/",
    b"xl/",
    // The streams of older files, in UTF-16 ([MS-DOC] 2.1.1, [MS-XLS] 2.1.2; the last before Excel 97).
    b"W\0o\0r\0d\0D\0o\0c\0u\0m\0e\0n\0t\0",
    b"W\0o\0r\0k\0b\0o\0o\0k\0",
    b"B\0o\0o\0k\0",
    // The stream in which a newer file lies when it is locked with a password ([MS-OFFCRYPTO] 2.3.4.4).
    b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0",
];
const TYPES: usize = 0;
const WORD: usize = 1;
const EXCEL: usize = 2;
const OLD_WORD: usize = 3;
const OLD_EXCEL: usize = 4;
const OLDER_EXCEL: usize = 5;
const LOCKED: usize = 6;

/// The content of a file as far as it has come.
#[derive(Debug, Default)]
pub struct Content {
    head: Vec<u8>,
    /// The last bytes, in which a mark may begin.
    end: Vec<u8>,
    seen: [bool; MARKS.len()],
}

impl Content {
    /// Takes in more.
    pub fn take(&mut self, bytes: &[u8]) {
        let missing = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..missing]);
        if !self.is_zip() && !self.is_ole() {
            return;
        }
        self.end.extend_from_slice(&bytes[..bytes.len().min(LONGEST)]);
        for (mark, seen) in MARKS.iter().zip(&mut self.seen) {
            *seen = *seen || memmem::find(&self.end, mark).is_some() || memmem::find(bytes, mark).is_some();
        }
        if bytes.len() >= LONGEST {
            self.end.clear();
            self.end.extend_from_slice(&bytes[bytes.len() - LONGEST..]);
        } else {
            self.end.drain(..self.end.len().saturating_sub(LONGEST));
        }
    }

    /// The type of an allowed file: what its name says, if its content is that.
    pub fn media_type(&self, file_name: &str) -> Option<&'static str> {
        let extension = file_name.rsplit_once('.')?.1.to_lowercase();
        let found = infer::get(&self.head).map(|kind| kind.mime_type());
        let (media_type, fits) = match extension.as_str() {
            "pdf" => ("application/pdf", found == Some("application/pdf")),
            "png" => ("image/png", found == Some("image/png")),
            "jpg" | "jpeg" => ("image/jpeg", found == Some("image/jpeg")),
            "doc" => ("application/msword", self.is_ole() && self.seen[OLD_WORD]),
            "xls" => (
                "application/vnd.ms-excel",
                self.is_ole() && (self.seen[OLD_EXCEL] || self.seen[OLDER_EXCEL]),
            ),
            "docx" => (
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
                self.is_zip() && self.seen[TYPES] && self.seen[WORD],
            ),
            "xlsx" => (
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                self.is_zip() && self.seen[TYPES] && self.seen[EXCEL],
            ),
            _ => return None,
        };
        fits.then_some(media_type)
    }

    /// Whether it is an Office file that is locked with a password.
    pub fn is_locked(&self) -> bool {
        self.is_ole() && self.seen[LOCKED]
    }

    fn is_zip(&self) -> bool {
        self.head.starts_with(b"PK\x03\x04")
    }

    fn is_ole(&self) -> bool {
        self.head.starts_with(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

    /// The type of a file that comes in pieces of a size.
    fn told(name: &str, parts: &[&[u8]], piece: usize) -> Option<&'static str> {
        let mut content = Content::default();
        parts.concat().chunks(piece).for_each(|bytes| content.take(bytes));
        content.media_type(name)
    }

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn office_files_are_told_by_the_parts_that_they_must_have_however_they_come() {
        let (word, book, older) = (utf16("WordDocument"), utf16("Workbook"), utf16("Book"));
        let filler = vec![b'.'; 20_000];
        for piece in [1, 3, 7, 23, 24, 25, 31, 32, 33, 1000, 100_000] {
            let zip = |folder: &'static [u8]| {
                [b"PK\x03\x04", filler.as_slice(), b"[Content_Types].xml", folder, &filler]
            };
            let docx = told("Beslut.DOCX", &zip(b"word/document.xml"), piece).unwrap();
            assert!(docx.ends_with("wordprocessingml.document"), "{piece}");
            let xlsx = told("a.xlsx", &zip(b"xl/workbook.xml"), piece).unwrap();
            assert!(xlsx.ends_with("spreadsheetml.sheet"), "{piece}");
            let ole = |name, stream: &[u8]| told(name, &[OLE, &filler, stream, &filler], piece);
            assert_eq!(ole("a.doc", &word), Some("application/msword"));
            assert_eq!(ole("a.xls", &book), Some("application/vnd.ms-excel"));
            assert_eq!(ole("a.xls", &older), Some("application/vnd.ms-excel"));
            let mut locked = Content::default();
            let parts = [OLE, &filler, &utf16("EncryptedPackage"), &filler].concat();
            parts.chunks(piece).for_each(|bytes| locked.take(bytes));
            assert!(locked.is_locked() && locked.media_type("a.docx").is_none(), "{piece}");
            // What is another kind than its name says is none.
            assert_eq!(told("a.docx", &zip(b"xl/workbook.xml"), piece), None);
            assert_eq!(told("a.xlsx", &zip(b"word/document.xml"), piece), None);
            assert_eq!(ole("a.doc", &book), None);
            assert_eq!(ole("a.xls", &word), None);
        }
    }

    #[test]
    fn other_containers_under_an_allowed_name_are_refused() {
        let zip: &[&[u8]] = &[b"PK\x03\x04", b"program.exe MZ"];
        let macros: &[&[u8]] = &[b"PK\x03\x04", b"[Content_Types].xml ppt/presentation.xml"];
        for name in ["a.docx", "a.xlsx", "a.doc", "a.xls", "a.pdf", "a.png", "a.zip", "a"] {
            assert_eq!(told(name, zip, 100), None, "{name}");
            assert_eq!(told(name, macros, 100), None, "{name}");
            assert_eq!(told(name, &[OLE, b"an installer"], 100), None, "{name}");
            assert_eq!(told(name, &[b"MZ [Content_Types].xml word/ xl/"], 100), None, "{name}");
        }
        assert_eq!(told("a.pdf", &[b"%PDF-1.7\n"], 2), Some("application/pdf"));
        assert_eq!(told("a.JPG", &[&[0xFF, 0xD8, 0xFF, 0xE0]], 4), Some("image/jpeg"));
    }
}
