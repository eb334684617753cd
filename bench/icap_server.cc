#include "bench/icap_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <array>
#include <charconv>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iterator>
#include <sstream>
#include <thread>
#include <vector>

#include "base/file.h"
#include "bench/must.h"
#include "scan/spawn.h"

namespace redoubt::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "/usr/bin/c-icap";
constexpr const char* kModules = "/usr/lib/x86_64-linux-gnu/c_icap";
constexpr const char* kMagic = "/etc/c-icap/c-icap.magic";
constexpr auto kIcapLook = std::chrono::milliseconds(50);
constexpr int kLooksMax = 200;
constexpr size_t kStatBytesMax = 4096;

// A port that was free a moment ago.
uint16_t free_port() {
  const base::UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (bind(probe.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 ||
      getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    give_up("no free port");
  }
  return ntohs(address.sin_port);
}

base::UniqueFd connect_to_port(uint16_t port) {
  base::UniqueFd connection(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return connection;
}

// As its packages set it up, but for the paths, the port, all types of files, and connections that stay open.
std::string icap_configuration(const std::string& directory, uint16_t port, const std::string& clamd_socket) {
  std::string text = fmt::format(
      "PidFile {0}/c-icap.pid\nCommandsSocket {0}/c-icap.ctl\nServerLog {0}/server.log\nTmpDir {0}\n"
      "Port 127.0.0.1:{1}\nclamd_mod.ClamdSocket {2}\n",
      directory, port, clamd_socket);
  text.insert(0, "Module common clamd_mod.so\n");
  text.insert(0, fmt::format("ModulesDir {0}\nServicesDir {0}\nLoadMagicFile {1}\n", kModules, kMagic));
  text +=
      "TemplateDir /usr/share/c_icap/templates/\nTemplateDefaultLanguage en\nMaxKeepAliveRequests -1\n"
      "StartServers 1\nMaxServers 2\nThreadsPerChild 32\nMaxMemObject 131072\n"
      "Service antivirus_module virus_scan.so\n"
      "ServiceAlias avscan virus_scan?allow204=on&sizelimit=off&mode=simple\n"
      "virus_scan.ScanFileTypes TEXT DATA EXECUTABLE ARCHIVE GRAPHICS STREAM DOCUMENT\n"
      "virus_scan.MaxObjectSize 100M\nvirus_scan.DefaultEngine clamd\n";
  return text;
}

// The fields of /proc/PID/stat behind the name, which may hold anything: state, parent, …
std::vector<std::string> stat_fields(const std::string& pid) {
  const auto text = base::read_file("/proc/" + pid + "/stat", kStatBytesMax);
  const size_t name_end = text ? text->rfind(") ") : std::string::npos;
  if (name_end == std::string::npos) return {};
  std::istringstream fields(text->substr(name_end + 2));
  return {std::istream_iterator<std::string>(fields), {}};
}

// What an answer says, read to its end so that the connection can go on.
class IcapAnswer {
 public:
  explicit IcapAnswer(int connection) : connection_(connection) {
    const std::string head = take_through("\r\n\r\n");
    is_unchanged_ = head.find(" 204 ") < head.find("\r\n");
    blocked_ = head.find("\r\nX-Infection-Found:") != std::string::npos;
    if (is_unchanged_) return;
    if (head.find(" 200 ") > head.find("\r\n")) give_up("c-icap answers " + head.substr(0, head.find("\r\n")));
    take_through("\r\n\r\n");
    while (take_chunk() > 0) continue;
  }
  bool blocked() const { return blocked_; }

 private:
  void fill() {
    std::array<char, 16384> block;
    const ssize_t size = recv(connection_, block.data(), block.size(), 0);
    if (size <= 0) give_up("c-icap hung up");
    buffer_.append(block.data(), static_cast<size_t>(size));
  }
  std::string take(size_t size) {
    while (buffer_.size() < size) fill();
    std::string taken = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return taken;
  }
  std::string take_through(std::string_view end) {
    size_t at = 0;
    while ((at = buffer_.find(end)) == std::string::npos) fill();
    return take(at + end.size());
  }
  size_t take_chunk() {
    const std::string line = take_through("\r\n");
    size_t size = 0;
    std::from_chars(line.data(), line.data() + line.size(), size, 16);
    take(size + 2);
    return size;
  }

  const int connection_;
  std::string buffer_;
  bool is_unchanged_ = false;
  bool blocked_ = false;
};

class CIcap final : public IcapServer {
 public:
  explicit CIcap(const std::string& clamd_socket) {
    const uint16_t port = free_port();
    const std::string configuration = directory_ / "c-icap.conf";
    must(base::write_file_atomic(configuration, icap_configuration(directory_.path(), port, clamd_socket),
                                 base::kPrivateFile));
    pid_ = must(scan::spawn_bare({.program = kProgram, .arguments = {"-N", "-f", configuration}}));
    for (int i = 0; i < kLooksMax && !connection_; ++i) {
      std::this_thread::sleep_for(kIcapLook);
      connection_ = connect_to_port(port);
    }
    if (!connection_) give_up("c-icap does not answer");
  }

  ~CIcap() override {
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  bool blocks(std::string_view content) override {
    const std::string request = "GET http://bench.invalid/object HTTP/1.1\r\nHost: bench.invalid\r\n\r\n";
    const std::string response = fmt::format(
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: {}\r\n\r\n", content.size());
    const std::string head = fmt::format(
        "RESPMOD icap://127.0.0.1/avscan ICAP/1.0\r\nHost: 127.0.0.1\r\nAllow: 204\r\n"
        "Encapsulated: req-hdr=0, res-hdr={}, res-body={}\r\n\r\n",
        request.size(), request.size() + response.size());
    must(base::write_all(connection_.get(), head + request + response + fmt::format("{:x}\r\n", content.size())));
    must(base::write_all(connection_.get(), content));
    must(base::write_all(connection_.get(), "\r\n0\r\n\r\n"));
    return IcapAnswer(connection_.get()).blocked();
  }

  double cpu_seconds() const override {
    const std::string own = std::to_string(pid_);
    double seconds = cpu_of_process(own);
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const std::string pid = entry.path().filename().string();
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      const auto fields = stat_fields(pid);
      if (fields.size() > 1 && fields[1] == own) seconds += cpu_of_process(pid);
    }
    return seconds;
  }

 private:
  base::TempDir directory_;
  pid_t pid_ = -1;
  base::UniqueFd connection_;
};

}  // namespace

bool has_icap_server() {
  return access(kProgram, X_OK) == 0 && access((std::string(kModules) + "/virus_scan.so").c_str(), R_OK) == 0;
}

std::unique_ptr<IcapServer> start_icap_server(const std::string& clamd_socket) {
  return std::make_unique<CIcap>(clamd_socket);
}

double cpu_of_process(const std::string& pid) {
  constexpr size_t kUserTime = 11, kSystemTime = 12;  // proc(5), counted from the state
  const auto fields = stat_fields(pid);
  if (fields.size() <= kSystemTime) return 0;
  const double ticks = std::stod(fields[kUserTime]) + std::stod(fields[kSystemTime]);
  return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

}  // namespace redoubt::bench
