//! Tables in Markdown whose columns are aligned, so that a terminal shows them as well as a page.

/// The first of `lines` is the head. The first column holds text, the others figures.
pub fn table(lines: &[Vec<String>]) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            lines
                .iter()
                .map(|line| line[column].chars().count())
                .max()
                .unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        for (column, cell) in line.iter().enumerate() {
            let width = widths[column];
            text += &match column {
                0 => format!("| {cell:<width$} |"),
                _ => format!(" {cell:>width$} |"),
            };
        }
        text.push('\n');
        if at == 0 {
            for (column, width) in widths.iter().enumerate() {
                text += &match column {
                    0 => format!("|-{}-|", "-".repeat(*width)),
                    _ => format!("-{}:|", "-".repeat(*width)),
                };
            }
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let lines = [["by", "µs"], ["slotmark", "7"]].map(|line| line.map(str::to_owned).to_vec());
        assert_eq!(
            table(&lines),
            "| by       | µs |\n|----------|---:|\n| slotmark |  7 |\n"
        );
    }
}
