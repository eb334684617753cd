// redoubt up: from nothing to a node, an agent and the first event; from a running product to a summary.
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/file.h>
#include <unistd.h>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/redoubt/api_client.h"
#include "apps/redoubt/commands.h"
#include "apps/redoubt/daemon.h"
#include "apps/redoubt/layout.h"
#include "apps/redoubt/node_options.h"
#include "apps/redoubt/output.h"
#include "apps/redoubt/session.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/time.h"

namespace redoubt::cli {

namespace {

using nlohmann::json;

constexpr int64_t kNodeStartNs = 90'000'000'000;
constexpr int64_t kFirstEventNs = 60'000'000'000;
constexpr auto kPollPause = std::chrono::milliseconds(100);
constexpr int kPollSeconds = 5;
constexpr size_t kLogLinesShown = 15;
constexpr size_t kSmallBytesMax = size_t{64} << 10;

bool exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// SHA-256 of the certificate (DER) that the node shows.
Result<std::string> certificate_fingerprint(const std::string& pem_path) {
  TRY(const std::string pem, base::read_file(pem_path, kSmallBytesMax));
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      BIO_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                                X509_free);
  unsigned char* der = nullptr;
  const int size = certificate ? i2d_X509(certificate.get(), &der) : 0;
  if (size <= 0) return fail(Errc::corrupt, pem_path + " is no certificate");
  const std::string fingerprint = base::sha256_hex({reinterpret_cast<const char*>(der), static_cast<size_t>(size)});
  OPENSSL_free(der);
  return fingerprint;
}

Result<json> read_json(const std::string& path) {
  TRY(const std::string text, base::read_file(path, kSmallBytesMax));
  json parsed = json::parse(text, nullptr, false);
  if (!parsed.is_object()) return fail(Errc::corrupt, path + " is no JSON object");
  return parsed;
}

// The steps in their order; each does nothing where its work is done.
class Bringup {
 public:
  explicit Bringup(const Arguments& arguments)
      : arguments_(arguments),
        layout_(find_layout()),
        home_(home_directory(arguments.home)),
        node_{"redoubtd", home_},
        agent_{"redoubt-agent", home_} {}

  Status run() {
    TRY_STATUS(within("home " + home_, lock_home()));
    TRY(choices_, choose(arguments_, home_));
    TRY_STATUS(within("make the node", make_node()));
    TRY_STATUS(within("start the node", start_node()));
    TRY_STATUS(within("log in", make_profile()));
    if (geteuid() != 0) {
      print_note("not root: the agent needs BPF, so only the node runs; `sudo redoubt up` starts the agent too");
    } else {
      TRY_STATUS(within("enrol this host", enrol_agent()));
      TRY_STATUS(within("start the agent", start_agent()));
      TRY_STATUS(within("wait for events", wait_for_event()));
    }
    print_summary();
    // Shown: from now on the account's owner is the only one who has it.
    unlink(password_path().c_str());
    return {};
  }

 private:
  std::string node_data() const { return home_ + "/node"; }
  std::string agent_data() const { return home_ + "/agent"; }
  std::string password_path() const { return home_ + "/first-password"; }
  std::string profile_path() const { return home_ + "/" + kProfileFile; }

  Status lock_home() {
    for (const char* folder : {"/node", "/agent", "/run", "/log"}) TRY_STATUS(base::make_directories(home_ + folder));
    lock_ = base::UniqueFd(open((home_ + "/run/up.lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, base::kPrivateFile));
    if (!lock_) return base::fail_errno("lock");
    if (flock(lock_.get(), LOCK_EX) != 0) return base::fail_errno("lock");
    return {};
  }

  Status make_node() {
    if (exists(node_data() + "/state.db") && exists(node_data() + "/server.pem")) {
      progress("node", "exists");
    } else {
      TRY(const std::string line, run_to_end(init_command(layout_.programs, home_, choices_)));
      const json made = json::parse(line, nullptr, false);
      const std::string password = made.is_object() ? made.value("password", "") : "";
      // Kept until it was shown: a run that is broken off here would lose it.
      if (!password.empty()) TRY_STATUS(base::write_file_atomic(password_path(), password, base::kPrivateFile));
      progress("node", "certificate authority, database and first account made");
    }
    TRY(profile_.fingerprint, certificate_fingerprint(node_data() + "/server.pem"));
    if (exists(password_path())) {
      TRY(password_, base::read_file(password_path(), kSmallBytesMax));
    }
    return {};
  }

  Status start_node() {
    if (const auto pid = running(node_)) {
      progress("node", "runs, process " + std::to_string(*pid));
    } else {
      // What the last run wrote; this one writes its own when it listens.
      unlink((node_data() + "/ports.json").c_str());
      TRY(const pid_t started, start(node_, serve_command(layout_.programs, home_, choices_)));
      progress("node", "started, process " + std::to_string(started));
    }
    const int64_t deadline_ns = base::boottime_ns() + kNodeStartNs;
    while (true) {
      const Status healthy = ask_health();
      if (healthy) return keep_ports();
      if (!running(node_)) return fail(Errc::unavailable, "it ended; " + log_end(node_));
      if (base::boottime_ns() > deadline_ns)
        return fail(Errc::timeout, healthy.error().message + "; " + log_end(node_));
      std::this_thread::sleep_for(kPollPause);
    }
  }

  Status ask_health() {
    TRY(const json ports, read_json(node_data() + "/ports.json"));
    address_ = with_port(reachable(choices_.listen), ports.value("api", 0));
    profile_.url = "https://" + address_;
    return call_api(profile_, {.target = "/health", .timeout_s = kPollSeconds}).map([](const std::string&) {});
  }

  // The agent is told the link's address once: a port that was any free one stays.
  Status keep_ports() {
    if (choices_.api_port != 0 && choices_.link_port != 0 && choices_.scanner_port != 0) return {};
    TRY(const json ports, read_json(node_data() + "/ports.json"));
    choices_.api_port = ports.value("api", 0);
    choices_.link_port = ports.value("link", 0);
    choices_.scanner_port = ports.value("scanner", 0);
    return keep_choices(choices_, home_);
  }

  Status make_profile() {
    if (const auto saved = load_profile(profile_path())) {
      profile_.token = saved->token;
      const auto known = call_api(profile_, {.target = "/session", .timeout_s = kPollSeconds});
      if (known) return saved->url == profile_.url ? Status() : save_profile(profile_path(), profile_);
      if (known.error().code != Errc::unauthenticated) return tl::unexpected(known.error());
    }
    if (password_.empty()) {
      return fail(
          Errc::unauthenticated,
          "the profile's token is not known and the first password is gone: set one with `redoubtd user password " +
              account_ + "`, then `redoubt login --home " + home_ + " --url " + profile_.url + " --fingerprint " +
              profile_.fingerprint + "`");
    }
    TRY(profile_, make_token(profile_, {account_, password_, "redoubt up"}));
    progress("profile", profile_path());
    return save_profile(profile_path(), profile_);
  }

  Status enrol_agent() {
    if (exists(agent_data() + "/identity.json")) return {};
    TRY(const std::string body, call_api(profile_, {.method = "POST", .target = "/enrollment-tokens", .body = "{}"}));
    const base::TempDir scratch;
    TRY_STATUS(base::write_file_atomic(scratch / "token", json::parse(body).value("token", ""), base::kPrivateFile));
    TRY_STATUS(run_to_end({layout_.programs + "/redoubt-agent", "enroll", "--server", address_, "--fingerprint",
                           profile_.fingerprint, "--token-file", scratch / "token", "--data", agent_data()})
                   .map([](const std::string&) {}));
    progress("agent", "this host is enrolled");
    return {};
  }

  Status start_agent() {
    if (const auto pid = running(agent_)) {
      progress("agent", "runs, process " + std::to_string(*pid));
      return {};
    }
    agent_started_ = base::Time::now();
    TRY(const pid_t pid, start(agent_, {layout_.programs + "/redoubt-agent", "run", "--data", agent_data()}));
    progress("agent", "started, process " + std::to_string(pid));
    return {};
  }

  // Connected, and what this host did (not what its agent says of itself) is found; newer than the agent if that was
  // started now.
  Status wait_for_event() {
    TRY(const json identity, read_json(agent_data() + "/identity.json"));
    const std::string host_id = identity.value("host_id", "");
    std::string query = "host.id = \"" + host_id + "\" AND NOT EventType IN (\"agent\", \"loss\")";
    if (agent_started_.us != 0) query += " | since " + base::format_time(agent_started_);
    const int64_t deadline_ns = base::boottime_ns() + kFirstEventNs;
    while (true) {
      TRY(const bool seen, host_is_seen(host_id, query));
      if (seen) break;
      if (!running(agent_)) return fail(Errc::unavailable, "the agent ended; " + log_end(agent_));
      if (base::boottime_ns() > deadline_ns) return fail(Errc::timeout, "none came; " + log_end(agent_));
      std::this_thread::sleep_for(kPollPause);
    }
    progress("agent", "connected; events of this host arrive");
    return {};
  }

  Result<bool> host_is_seen(const std::string& host_id, const std::string& query) const {
    TRY(const std::string host, call_api(profile_, {.target = "/hosts/" + host_id, .timeout_s = kPollSeconds}));
    if (json::parse(host).value("state", "") != "connected") return false;
    const json request = {{"query", query}, {"limit", 1}};
    TRY(const std::string body, call_api(profile_, {.method = "POST", .target = "/hunts", .body = request.dump()}));
    return !json::parse(body).at("rows").empty();
  }

  static std::string log_end(const Daemon& daemon) {
    return daemon.log_path() + " ends with:\n" + last_lines(daemon, kLogLinesShown);
  }

  void progress(const std::string& part, const std::string& what) const {
    const int64_t ms = (base::boottime_ns() - started_ns_) / 1'000'000;
    std::string seconds = std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
    seconds.insert(0, seconds.size() < 8 ? 8 - seconds.size() : 0, ' ');
    print_note(seconds + "  " + part + ": " + what);
  }

  void print_summary() const {
    if (arguments_.format == Format::json) {
      json facts = {{"url", profile_.url},
                    {"account", account_},
                    {"fingerprint", profile_.fingerprint},
                    {"home", home_},
                    {"agent", geteuid() == 0}};
      if (!password_.empty()) facts["password"] = password_;
      print_line(facts.dump());
      return;
    }
    print_line("");
    print_line("  console      " + profile_.url);
    print_line("  account      " + account_);
    print_line("  password     " + (password_.empty()
                                        ? "as set; a new one: " + layout_.programs + "/redoubtd user password " +
                                              account_ + " --data " + node_data()
                                        : password_ + "   (shown this once)"));
    print_line("  certificate  SHA-256 " + profile_.fingerprint);
    print_line("");
    print_line("Your browser asks about the certificate once: compare the fingerprint. Then try:");
    const std::string program = layout_.programs + "/redoubt";
    const std::string home = arguments_.home.empty() ? "" : " --home " + home_;
    print_line("  " + program + " hunt 'EventType = \"process\"' --limit 5" + home);
    print_line("  " + program + " alert list" + home);
    print_line("  " + program + " down" + home);
  }

  const Arguments& arguments_;
  const Layout layout_;
  const std::string home_;
  const Daemon node_;
  const Daemon agent_;
  const std::string account_ = "admin";
  const int64_t started_ns_ = base::boottime_ns();
  base::UniqueFd lock_;
  NodeChoices choices_;
  std::string address_;       // host:port of the API
  base::Time agent_started_;  // by this run
  std::string password_;      // only until it was shown
  Profile profile_;
};

}  // namespace

Exit run_up(const Arguments& arguments) {
  const Status done = Bringup(arguments).run();
  return done ? Exit::ok : print_error(done.error());
}

}  // namespace redoubt::cli
