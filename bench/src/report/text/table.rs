//! Aligned columns and wrapped sentences.

/// Text columns to the left, figures to the right, two spaces between.
pub struct Table {
    /// How many leading columns hold text.
    text_columns: usize,
    /// A trailing column of text, if there is one.
    last_text_column: Option<usize>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(text_columns: usize, header: &[&str]) -> Self {
        Self {
            last_text_column: None,
            text_columns,
            rows: vec![header.iter().map(|h| (*h).to_owned()).collect()],
        }
    }

    /// The last column of the header holds text, too.
    pub fn ending_in_text(mut self) -> Self {
        self.last_text_column = self.rows[0].len().checked_sub(1);
        self
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    /// The lines, header first, each indented by two.
    pub fn lines(&self) -> Vec<String> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let widths: Vec<usize> = (0..columns)
            .map(|c| {
                self.rows
                    .iter()
                    .filter_map(|r| r.get(c))
                    .map(|s| width(s))
                    .max()
                    .unwrap_or(0)
            })
            .collect();
        self.rows.iter().map(|row| self.line(row, &widths)).collect()
    }

    fn line(&self, row: &[String], widths: &[usize]) -> String {
        let mut line = String::new();
        for (c, cell) in row.iter().enumerate() {
            line.push_str("  ");
            let padding = " ".repeat(widths[c] - width(cell));
            if c < self.text_columns || self.last_text_column == Some(c) {
                line.push_str(cell);
                line.push_str(&padding);
            } else {
                line.push_str(&padding);
                line.push_str(cell);
            }
        }
        line.truncate(line.trim_end().len());
        line
    }
}

/// Columns a text takes: one a character, since the texts hold no wide ones but what a host name may bring.
fn width(text: &str) -> usize {
    text.chars().count()
}

/// Breaks at spaces; a word longer than `width` is cut.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let mut rest: Vec<char> = word.chars().collect();
        let used = lines.last().map_or(0, |l| l.chars().count());
        if used > 0 && used + 1 + rest.len() > width {
            lines.push(String::new());
        }
        while rest.len() > width {
            let head: String = rest.drain(..width).collect();
            push_word(&mut lines, &head);
            lines.push(String::new());
        }
        push_word(&mut lines, &rest.into_iter().collect::<String>());
    }
    lines
}

fn push_word(lines: &mut [String], word: &str) {
    let Some(line) = lines.last_mut() else { return };
    if !line.is_empty() {
        line.push(' ');
    }
    line.push_str(word);
}

/// Cuts in the middle, since a host's own name stands first and its port last: "node-11.clu…ple.org:6379".
pub fn shortened(text: &str, width: usize) -> String {
    let length = text.chars().count();
    if length <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let head: String = text.chars().take(kept / 2).collect();
    let tail: String = text.chars().skip(length - (kept - kept / 2)).collect();
    format!("{head}…{tail}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let mut table = Table::new(1, &["", "ops/s", "p50"]);
        table.row(vec!["GET".to_owned(), "412.3k".to_owned(), "573 µs".to_owned()]);
        table.row(vec![
            "all of it".to_owned(),
            "1.0k".to_owned(),
            "2.10 s".to_owned(),
        ]);
        assert_eq!(
            table.lines(),
            [
                "              ops/s     p50",
                "  GET        412.3k  573 µs",
                "  all of it    1.0k  2.10 s"
            ]
        );
    }

    #[test]
    fn sentences_wrap_and_long_words_are_cut() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("a 0123456789 b", 4), ["a", "0123", "4567", "89 b"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(shortened("abcdef:7000", 8), "abc…7000");
        assert_eq!(shortened("abc", 7), "abc");
    }
}
