// SPDX-License-Identifier: GPL-2.0-only

// Rust's files and processes: std::fs on a directory that is given, std::process on the
// program itself, UNIX and TCP sockets.
use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{symlink, FileExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{exit, Command, Stdio};
use std::thread;
use std::time::Duration;

fn files(dir: &Path) -> io::Result<()> {
    let deep = dir.join("a/b/c");
    fs::create_dir_all(&deep)?;
    fs::write(deep.join("one"), "first\nsecond\n")?;
    println!("copied: {}", fs::copy(deep.join("one"), deep.join("two"))?);
    fs::rename(deep.join("two"), dir.join("moved"))?;
    let mut file = OpenOptions::new().append(true).read(true).open(dir.join("moved"))?;
    writeln!(file, "third")?;
    file.seek(SeekFrom::Start(6))?;
    let lines: Vec<String> = BufReader::new(&file).lines().collect::<Result<_, _>>()?;
    println!("lines: {:?}", lines);
    file.set_len(100)?;
    let mut end = [1u8; 4];
    file.read_exact_at(&mut end, 96)?;
    println!("end: {:?} len: {}", end, file.metadata()?.len());
    fs::set_permissions(dir.join("moved"), fs::Permissions::from_mode(0o640))?;
    println!("mode: {:o}", fs::metadata(dir.join("moved"))?.mode());
    symlink("moved", dir.join("link"))?;
    fs::hard_link(dir.join("moved"), dir.join("hard"))?;
    println!("link: {:?} links: {}", fs::read_link(dir.join("link"))?, fs::metadata(dir.join("link"))?.nlink());
    println!("real: {}", fs::canonicalize(dir.join("a/../link"))?.ends_with("moved"));
    let mut names: Vec<_> = fs::read_dir(dir)?
        .map(|e| e.map(|e| format!("{:?} {}", e.file_name(), e.file_type().unwrap().is_dir())))
        .collect::<Result<_, _>>()?;
    names.sort();
    println!("entries: {:?}", names);
    println!("again: {:?}", fs::create_dir(dir.join("a")).unwrap_err().kind());
    println!("full: {:?}", fs::remove_dir(dir.join("a")).unwrap_err().raw_os_error());
    println!("missing: {:?}", File::open(dir.join("none")).unwrap_err().kind());
    println!("not a directory: {:?}", File::open(dir.join("moved/x")).unwrap_err().raw_os_error());
    fs::remove_dir_all(dir.join("a"))?;
    for name in ["moved", "link", "hard"] {
        fs::remove_file(dir.join(name))?;
    }
    println!("left: {}", fs::read_dir(dir)?.count());
    Ok(())
}

fn processes(own: &Path) -> io::Result<()> {
    let out = Command::new(own).args(["child", "echo", "a b"]).output()?;
    println!("echo: {:?} {}", String::from_utf8_lossy(&out.stdout), out.status);
    println!("code: {:?}", Command::new(own).args(["child", "exit"]).status()?.code());
    let ended = Command::new(own).args(["child", "abort"]).stderr(Stdio::null()).status()?;
    println!("abort: {:?} {:?}", ended.code(), ended.signal());
    let out = Command::new(own).args(["child", "env"]).env_clear().env("NAME", "value").output()?;
    println!("env: {:?}", String::from_utf8_lossy(&out.stdout));

    let mut cat = Command::new(own).args(["child", "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut stdin = cat.stdin.take().unwrap();
    let writer = thread::spawn(move || stdin.write_all(&[b'x'; 200_000]).is_ok());
    let mut text = Vec::new();
    cat.stdout.take().unwrap().read_to_end(&mut text)?;
    println!("cat: {} {} {}", text.len(), writer.join().unwrap(), cat.wait()?);

    let mut asleep = Command::new(own).args(["child", "sleep"]).spawn()?;
    println!("running: {:?}", asleep.try_wait()?);
    asleep.kill()?;
    println!("killed: {:?}", asleep.wait()?.signal());

    let out = unsafe {
        Command::new(own)
            .args(["child", "pwd"])
            .current_dir("/")
            .pre_exec(|| {
                println!("before exec");
                Ok(())
            })
            .output()?
    };
    println!("pwd: {:?}", String::from_utf8_lossy(&out.stdout));
    println!("no program: {:?}", Command::new("/no/program").status().unwrap_err().kind());
    let refused = unsafe { Command::new(own).pre_exec(|| Err(io::Error::from_raw_os_error(95))).status() };
    println!("refused: {:?}", refused.unwrap_err().raw_os_error());
    Ok(())
}

fn sockets() -> io::Result<()> {
    let (mut a, mut b) = UnixStream::pair()?;
    a.write_all(b"by a pair")?;
    drop(a);
    let mut text = String::new();
    b.read_to_string(&mut text)?;
    println!("pair: {}", text);

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let server = thread::spawn(move || -> io::Result<usize> {
        let (mut peer, _) = listener.accept()?;
        let mut text = Vec::new();
        peer.read_to_end(&mut text)?;
        peer.write_all(&text)?;
        Ok(text.len())
    });
    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(Duration::from_millis(10)))?;
    println!("nothing yet: {:?}", client.read(&mut [0]).unwrap_err().kind());
    client.set_read_timeout(None)?;
    client.write_all(&[7; 100_000])?;
    client.shutdown(std::net::Shutdown::Write)?;
    let mut back = Vec::new();
    client.read_to_end(&mut back)?;
    println!("tcp: {} {}", back.len(), server.join().unwrap()?);
    Ok(())
}

fn child(what: &str) {
    match what {
        "echo" => println!("{}", env::args().nth(3).unwrap()),
        "exit" => exit(9),
        "abort" => std::process::abort(),
        "env" => println!("{:?}", env::vars().collect::<Vec<_>>()),
        "cat" => drop(io::copy(&mut io::stdin(), &mut io::stdout()).unwrap()),
        "sleep" => thread::sleep(Duration::from_secs(3600)),
        "pwd" => println!("{}", env::current_dir().unwrap().display()),
        _ => exit(1),
    }
}

fn main() -> io::Result<()> {
    let args: Vec<String> = env::args().collect();
    if args[1] == "child" {
        child(&args[2]);
        return Ok(());
    }
    files(Path::new(&args[1]))?;
    let own = fs::canonicalize(&args[0])?;
    processes(&own)?;
    sockets()?;
    Err(Command::new(&own).args(["child", "echo", "in its place"]).exec())
}
