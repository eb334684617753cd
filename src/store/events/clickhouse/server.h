// One ClickHouse server over its HTTP interface: a connection a statement. Blocks its caller; any thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/events/clickhouse/native.h"

namespace redoubt::store::clickhouse {

struct Account {
  std::string user;
  std::string password;
  std::string ca_file;  // certificates (PEM) that may vouch for the server; empty: the system's
};

using Settings = std::vector<std::pair<std::string, std::string>>;

// Whether names in a statement are those of the server's database, which has to be there.
enum class Scope : uint8_t { database, server };

struct Call {
  std::string sql;
  std::string_view data;  // of an INSERT; must outlive the call
  Settings settings;
  int64_t time_ms_max = 30'000;
  // Asked from time to time; true ends the call. What runs on the server is ended as well.
  std::function<bool()> cancelled;
  // Takes the answer piece by piece; none: it is returned.
  std::function<Status(std::string_view)> sink;
  Scope scope = Scope::database;
};

class Server {
 public:
  // `url`: http://host:port/ or https://…, what follows is the database (none: "redoubt").
  static Result<std::unique_ptr<Server>> make(const std::string& url, const Account& account);
  virtual ~Server() = default;

  // The answer. unavailable: the server was not reached or went away; timeout: time is up or it was cancelled;
  // exhausted: memory did not suffice there; else what ClickHouse says, with its code.
  virtual Result<std::string> call(const Call& call) = 0;
  virtual const std::string& name() const = 0;  // host:port/database
  virtual const std::string& database() const = 0;

  // A SELECT and what it gives.
  Result<Table> select(Call call);
};

// The number that ClickHouse gives to the kind of error; 0 where it has none.
int code_of(const Error& error);

}  // namespace redoubt::store::clickhouse
