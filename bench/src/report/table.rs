//! Tables in Markdown, aligned so that a terminal shows them as well as a page.

/// The first line is the head. The first column is aligned to the left, the others to the right; every line has as many
/// cells as the head.
pub fn aligned(lines: &[Vec<String>]) -> String {
    let Some(head) = lines.first() else {
        return String::new();
    };
    debug_assert!(lines.iter().all(|line| line.len() == head.len()));
    let width_of = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<usize> = (0..head.len())
        .map(|column| width_of(column).unwrap_or(0))
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
            text += &rule(&widths);
        }
    }
    text
}

fn rule(widths: &[usize]) -> String {
    let mut text = String::new();
    for (column, width) in widths.iter().enumerate() {
        text += &match column {
            0 => format!("|-{}-|", "-".repeat(*width)),
            _ => format!("-{}:|", "-".repeat(*width)),
        };
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let line = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let text = aligned(&[line(["load", "a"]), line(["GET", "12.5 M"])]);
        assert_eq!(text, "| load |      a |\n|------|-------:|\n| GET  | 12.5 M |\n");
        assert_eq!(aligned(&[]), "");
    }
}
