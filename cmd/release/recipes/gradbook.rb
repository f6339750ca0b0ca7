# For Homebrew. Written by make dist, with the version and the sum of the source.
class Gradbook < Formula
  desc "Deep learning in Go, as notebooks: a Jupyter kernel and a package on XLA"
  homepage "https://github.com/gradbook/gradbook"
  url "https://github.com/gradbook/gradbook/releases/download/@TAG@/gradbook-@TAG@-linux-amd64.tar.gz"
  sha256 "@SHA256@"
  license "Apache-2.0"

  # Also to run: cells are compiled.
  depends_on "go"
  depends_on "python@3.13"

  # The program finds the source beside the folder that it is in, and sets up in the user's
  # cache folder what JupyterLab needs.
  def install
    ENV["CGO_ENABLED"] = "0"
    system "go", "build", "-trimpath", "-ldflags", "-s -w -X main.stamp=@TAG@",
           "-o", libexec/"bin/gradbook", "./cmd/gradbook"
    (libexec/"source").install "go.mod", "go.sum", "LICENSE", "datasets", "dl", "kernel", "notebooks", "viz"
    bin.install_symlink libexec/"bin/gradbook"
  end

  test do
    assert_match "@TAG@", shell_output("#{bin}/gradbook --version")
    system bin/"gradbook", "doctor", "--json" if ENV["GRADBOOK_SET_UP"]
  end
end
