//! A small, valid PDF of one page with a few lines of text: what people attach in the demo.

/// The PDF (ISO 32000-1) with these lines; characters outside Latin-1 become question marks.
pub fn page(lines: &[&str]) -> Vec<u8> {
    let mut text = b"BT /F1 14 Tf 60 760 Td 20 TL\n".to_vec();
    for line in lines {
        text.push(b'(');
        for character in line.chars() {
            let byte = u8::try_from(u32::from(character)).unwrap_or(b'?');
            if matches!(byte, b'(' | b')' | b'\\') {
                text.push(b'\\');
            }
            text.push(byte);
        }
        text.extend_from_slice(b") Tj T*\n");
    }
    text.extend_from_slice(b"ET");
    let stream =
        [format!("<< /Length {} >>\nstream\n", text.len()).into_bytes(), text, b"\nendstream".to_vec()]
            .concat();
    let objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>".to_vec(),
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_vec(),
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>"
            .to_vec(),
        stream,
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_vec(),
    ];
    assemble(&objects)
}

/// Objects numbered from 1, with the table of where each begins.
fn assemble(objects: &[Vec<u8>]) -> Vec<u8> {
    let mut file = b"%PDF-1.4\n".to_vec();
    let mut places = Vec::new();
    for (number, object) in (1..).zip(objects) {
        places.push(file.len());
        file.extend_from_slice(format!("{number} 0 obj\n").as_bytes());
        file.extend_from_slice(object);
        file.extend_from_slice(b"\nendobj\n");
    }
    let table = file.len();
    let size = objects.len() + 1;
    file.extend_from_slice(format!("xref\n0 {size}\n0000000000 65535 f \n").as_bytes());
    for place in places {
        file.extend_from_slice(format!("{place:010} 00000 n \n").as_bytes());
    }
    file.extend_from_slice(
        format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n").as_bytes(),
    );
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_points_at_the_objects() {
        let file = page(&["Beslut (påhittat)", "Åsa \\ Öberg"]);
        let text = String::from_utf8_lossy(&file).into_owned();
        let table: usize =
            text.rsplit("startxref\n").next().unwrap().lines().next().unwrap().parse().unwrap();
        assert!(file[table..].starts_with(b"xref"));
        let first: usize = std::str::from_utf8(&file[table..])
            .unwrap_or_default()
            .lines()
            .nth(3)
            .map_or(0, |line| line[..10].parse().unwrap());
        assert!(file[first..].starts_with(b"1 0 obj"));
    }
}
