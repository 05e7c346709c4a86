//! An engine in Rust's standard library alone: float32, one to three axes, torch's arguments (docs/protocol.md).
//!     rustc --edition 2021 -O -o engine-rust examples/engine.rs
//!     conformance run 'textbook/*' 'conventions/*' -a 'rust=cmd:./engine-rust'
use std::{collections::HashMap, io, io::{BufRead, Read, Write}};

const GREETING: &str = r#"{"protocol": 1, "convention": "torch", "versions": {"engine-rust": "1.0"}, "devices": ["cpu"]}"#;
struct Tensor { is_float32: bool, shape: Vec<f64>, values: Vec<f64> }
struct Axis { size: usize, kernel: usize, stride: usize, dilation: usize, padding: usize, out: usize }

/// What stands between the commas of a JSON list or object.
fn parts(value: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quoted, mut escaped) = (vec![], 1, 0, false, false);
    for (at, byte) in value.bytes().enumerate() {
        quoted ^= byte == b'"' && !escaped;
        depth += (!quoted && b"[{".contains(&byte)) as i32 - (!quoted && b"]}".contains(&byte)) as i32;
        if !quoted && (depth == 1 && byte == b',' || depth == 0) {
            found.push(value[start.min(at)..at].trim());
            start = at + 1;
        }
        escaped = quoted && byte == b'\\' && !escaped;
    }
    found
}

/// The value of a key of a JSON object, a string without its quotes; empty if there is none.
fn get<'a>(object: &'a str, key: &str) -> &'a str {
    let entries = parts(object).into_iter().filter_map(|part| part.split_once(':'));
    entries.map(|(name, value)| (name.trim().trim_matches('"'), value.trim().trim_matches('"')))
        .find(|(name, _)| *name == key).map_or("", |(_, value)| value)
}

fn numbers(list: &str) -> Vec<f64> { parts(list).into_iter().filter_map(|part| part.parse().ok()).collect() }

fn read_tensor(described: &str, input: &mut impl Read) -> io::Result<Tensor> {
    let (dtype, shape) = (get(described, "dtype"), numbers(get(described, "shape")));
    let width = match dtype { "float64" => 8, "float32" => 4, _ => 2 };
    let mut bytes = vec![0; shape.iter().product::<f64>() as usize * width];
    input.read_exact(&mut bytes)?;
    let values = bytes.chunks_exact(4).map(|four| f32::from_le_bytes([four[0], four[1], four[2], four[3]]).into()).collect();
    Ok(Tensor { is_float32: dtype == "float32", shape, values })
}

/// The windows of the axes, or what is wrong with the call. In f64, which has room for nonsense.
fn windows(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, native: &str, groups: f64) -> Result<Vec<Axis>, &'static str> {
    let keys = ["stride", "padding", "output_padding", "dilation", "output_size"];
    let [stride, padding, extra, dilation, output_size] = keys.map(|key| numbers(get(native, key)));
    let is_bias_right = bias.map_or(true, |bias| bias.values.len() as f64 == w.shape[1] * groups);
    let is_right = groups >= 1.0 && x.shape[1] % groups == 0.0 && w.shape[0] == x.shape[1] && is_bias_right;
    if !is_right { return Err("kernel, bias and groups do not fit the channels"); }
    let mut elements = x.shape[0].max(1.0) * w.shape[1] * groups;
    (0..x.shape.len() - 2).map(|i| {
        let (n, k, s, d, p) = (x.shape[i + 2], w.shape[i + 2], stride[i], dilation[i], padding[i]);
        let least = (n - 1.0) * s + d * (k - 1.0) + 1.0 - 2.0 * p;
        let extra = output_size.get(i).map_or(extra[i], |size| size - least);
        if k < 1.0 || s < 1.0 || d < 1.0 || p < 0.0 { return Err("kernel, stride, dilation or padding is too small"); }
        if extra < 0.0 || extra >= s.max(d) { return Err("output_padding should be below stride or dilation"); }
        elements *= least + extra;
        if least + extra < 1.0 { return Err("the output would be empty"); }
        if elements > 1e9 || n * s > 1e12 || k * d > 1e12 { return Err("the output would be too large"); }
        let [size, kernel, stride, dilation, padding, out] = [n, k, s, d, p, least + extra].map(|number| number as usize);
        Ok(Axis { size, kernel, stride, dilation, padding, out })
    }).collect()
}

/// Where the product of a position and a tap goes, as an index into all axes; None where it is cut off.
fn place(axes: &[Axis], mut position: usize, mut tap: usize) -> Option<usize> {
    let (mut at, mut step) = (0, 1);
    for axis in axes.iter().rev() {
        let i = (position % axis.size * axis.stride + tap % axis.kernel * axis.dilation).checked_sub(axis.padding)?;
        if i >= axis.out { return None; }
        (at, step, position, tap) = (at + i * step, step * axis.out, position / axis.size, tap / axis.kernel);
    }
    Some(at)
}

fn compute(x: &Tensor, w: &Tensor, bias: Option<&Tensor>, axes: &[Axis], shape: &[usize]) -> Vec<f64> {
    let (inputs, outputs, each) = (x.shape[1] as usize, shape[1], w.shape[1] as usize);
    let (positions, taps) = axes.iter().fold((1, 1), |(n, k), axis| (n * axis.size, k * axis.kernel));
    let (mut y, places) = (vec![0.0; shape.iter().product()], shape[2..].iter().product::<usize>());
    for (position, tap) in (0..positions).flat_map(|position| (0..taps).map(move |tap| (position, tap))) {
        let Some(at) = place(axes, position, tap) else { continue };
        for i in 0..shape[0] * inputs {
            let first = i / inputs * outputs + i % inputs / (inputs * each / outputs) * each; // channel of the group
            let (value, weights) = (x.values[i * positions + position], &w.values[i % inputs * each * taps..]);
            (0..each).for_each(|o| y[(first + o) * places + at] += value * weights[o * taps + tap]);
        }
    }
    y.iter_mut().enumerate().for_each(|(i, sum)| *sum += bias.map_or(0.0, |bias| bias.values[i / places % outputs]));
    y
}

fn main() -> io::Result<()> {
    let (mut input, mut output, mut line) = (io::stdin().lock(), io::stdout().lock(), String::new());
    while input.read_line(&mut line)? > 0 && get(&line, "do") != "bye" {
        let mut given = HashMap::new();
        for described in parts(get(&line, "tensors")) {
            given.insert(get(described, "name"), read_tensor(described, &mut input)?);
        }
        let (id, native, bias) = (get(&line, "id"), get(&line, "native"), given.get("bias"));
        let can = get(&line, "do") == "call" && given.values().all(|tensor: &Tensor| tensor.is_float32 && tensor.shape.len() <= 5);
        let groups = get(native, "groups").parse().unwrap_or(0.0);
        match if can { windows(&given["x"], &given["kernel"], bias, native, groups) } else { Err("") } {
            _ if get(&line, "do") == "hello" => writeln!(output, "{GREETING}")?,
            Err("") => writeln!(output, r#"{{"id": {id}, "outcome": "unsupported", "reason": "It has float32, one to three axes."}}"#)?,
            Err(wrong) => writeln!(output, r#"{{"id": {id}, "outcome": "raised", "type": "ValueError", "message": "{wrong}"}}"#)?,
            Ok(axes) => {
                let channels = [given["x"].shape[0] as usize, (given["kernel"].shape[1] * groups) as usize];
                let shape: Vec<usize> = channels.into_iter().chain(axes.iter().map(|axis| axis.out)).collect();
                let y = compute(&given["x"], &given["kernel"], bias, &axes, &shape);
                write!(output, r#"{{"id": {id}, "outcome": "output", "tensors": "#)?;
                writeln!(output, r#"[{{"name": "y", "dtype": "float32", "shape": {shape:?}}}]}}"#)?;
                output.write_all(&y.iter().flat_map(|number| (*number as f32).to_le_bytes()).collect::<Vec<u8>>())?;
            }
        }
        output.flush()?;
        line.clear();
    }
    Ok(())
}
