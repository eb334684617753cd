#include "store/events/clickhouse/cluster.h"

#include <algorithm>

#include "base/file.h"
#include "event/frame.h"

namespace redoubt::store::clickhouse {

namespace {

constexpr size_t kPasswordFileMax = 4096;
constexpr int64_t kProbeMs = 5000;

std::vector<std::string> parts_of(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    if (end > 0) parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

Result<std::string> password_of(const std::string& file) {
  if (file.empty()) return std::string();
  TRY(std::string text, base::within("ClickHouse password", base::read_file(file, kPasswordFileMax)));
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

bool is_plain(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

Result<std::unique_ptr<Cluster>> Cluster::make(const ClickHouseOptions& options) {
  auto cluster = std::make_unique<Cluster>();
  cluster->name_ = options.cluster;
  if (!is_plain(options.cluster)) return fail(Errc::invalid_argument, "ClickHouse cluster: not a plain name");
  TRY(std::string password, password_of(options.password_file));
  const Account account{.user = options.user, .password = std::move(password), .ca_file = options.ca_file};
  for (const std::string& replicas : parts_of(options.servers, ',')) {
    Shard shard;
    for (const std::string& url : parts_of(replicas, ' ')) {
      TRY(auto server, Server::make(url, account));
      shard.push_back(std::move(server));
    }
    if (!shard.empty()) cluster->shards_.push_back(std::move(shard));
  }
  if (cluster->shards_.empty()) return fail(Errc::invalid_argument, "ClickHouse: no server is named");
  const bool one = cluster->shards_.size() == 1 && cluster->shards_.front().size() == 1;
  if (!one && !cluster->is_replicated()) {
    return fail(Errc::invalid_argument, "ClickHouse: several servers need the name of their cluster");
  }
  return cluster;
}

size_t Cluster::shard_of(const std::string& host_id) const { return event::frame_checksum(host_id) % shards_.size(); }

std::vector<Server*> Cluster::servers_of(size_t shard) const {
  std::vector<Server*> servers;
  for (const auto& server : shards_.at(shard)) servers.push_back(server.get());
  return servers;
}

std::vector<Server*> Cluster::all_servers() const {
  std::vector<Server*> servers;
  for (size_t shard = 0; shard < shards_.size(); ++shard) {
    for (Server* server : servers_of(shard)) servers.push_back(server);
  }
  return servers;
}

Status Cluster::first_of(const std::vector<Server*>& servers, const Ask& ask) {
  Status asked;
  for (Server* server : servers) {
    asked = ask(*server);
    if (asked || asked.error().code != Errc::unavailable) return asked;
  }
  return asked;
}

Result<std::string> Cluster::call(size_t shard, const Call& call) {
  std::string answer;
  TRY_STATUS(first_of(servers_of(shard), [&](Server& server) -> Status {
    TRY(answer, server.call(call));
    return {};
  }));
  return answer;
}

Result<Table> Cluster::select(size_t shard, const Call& call) {
  Table table;
  TRY_STATUS(first_of(servers_of(shard), [&](Server& server) -> Status {
    Call known_call = call;
    TRY(known_call.settings, known(server, call.settings));
    TRY(table, server.select(std::move(known_call)));
    return {};
  }));
  return table;
}

Result<Table> Cluster::select(const Call& call) {
  Table table;
  TRY_STATUS(first_of(all_servers(), [&](Server& server) -> Status {
    Call known_call = call;
    TRY(known_call.settings, known(server, call.settings));
    TRY(table, server.select(std::move(known_call)));
    return {};
  }));
  return table;
}

Result<std::string> Cluster::call(const Call& call) {
  std::string answer;
  TRY_STATUS(first_of(all_servers(), [&](Server& server) -> Status {
    Call known_call = call;
    TRY(known_call.settings, known(server, call.settings));
    TRY(answer, server.call(known_call));
    return {};
  }));
  return answer;
}

Result<Settings> Cluster::known(Server& server, const Settings& settings) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = settings_.find(&server); found != settings_.end()) {
      Settings some;
      for (const auto& setting : settings) {
        if (found->second.contains(setting.first)) some.push_back(setting);
      }
      return some;
    }
  }
  TRY(const Table names, server.select({.sql = "SELECT name FROM system.settings",
                                        .data = {},
                                        .settings = {},
                                        .time_ms_max = kProbeMs,
                                        .cancelled = {},
                                        .sink = {}}));
  {
    const std::lock_guard lock(mutex_);
    // Those of the interface are not among them.
    auto& known_names = settings_[&server] = {"wait_end_of_query", "default_format", "database"};
    for (const auto& row : names.rows) known_names.insert(std::get<std::string>(row.at(0)));
  }
  return known(server, settings);
}

}  // namespace redoubt::store::clickhouse
