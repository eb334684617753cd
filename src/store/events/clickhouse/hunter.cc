#include "store/events/clickhouse/hunter.h"

#include <algorithm>

#include "query/sql/sql.h"
#include "store/events/clickhouse/hunt_run.h"
#include "store/events/clickhouse/schema.h"

namespace redoubt::store::clickhouse {

namespace {

using query::sql::Dialect;

constexpr std::string_view kSqlBytesMax = "268435456";
constexpr std::string_view kSqlPartsMax = "20000000";
constexpr std::string_view kSqlDepthMax = "5000";
// A statement over all columns has two streams a column and thread: with the usual buffers, of a megabyte each, they
// take more memory than a hunt may.
constexpr std::string_view kReadBufferBytes = "65536";
constexpr std::string_view kBlockRows = "8192";
// What a server says where no replica of a shard answers the one that was asked.
constexpr int kAllConnectionTriesFailed = 279;

struct FigureColumns {
  static std::vector<Column> named(std::initializer_list<std::string_view> names) {
    std::vector<Column> columns;
    for (const std::string_view name : names) columns.push_back({.name = std::string(name), .field = std::nullopt});
    return columns;
  }

  std::vector<Column> operator()(const std::monostate&) const { return {}; }
  std::vector<Column> operator()(const query::CountBy&) const { return named({"value", "count"}); }
  std::vector<Column> operator()(const query::CountPer&) const { return named({"bucket", "count"}); }
  std::vector<Column> operator()(const query::Distinct&) const { return named({"value", "count"}); }
  std::vector<Column> operator()(const query::Rare&) const { return named({"value", "spread", "count"}); }
};

Result<HuntResult> figures(HuntRun& run, std::vector<Column> columns, std::string sql) {
  HuntResult result{.columns = std::move(columns), .rows = {}, .partial = false, .partial_why = {}};
  auto table = run.select(std::move(sql));
  if (!table && !run.stopped_by(table.error())) return tl::unexpected(std::move(table).error());
  if (table) result.rows = std::move(table->rows);
  run.finish(result);
  return result;
}

}  // namespace

Settings Hunter::settings(int64_t time_ms_max) const {
  // The server ends by itself what nobody waits for any more.
  const int64_t seconds = time_ms_max / 1000 + 2;
  return {{"max_memory_usage", std::to_string(options_.memory_bytes_max)},
          {"max_execution_time", std::to_string(seconds)},
          {"max_read_buffer_size", std::string(kReadBufferBytes)},
          {"max_block_size", std::string(kBlockRows)},
          {"max_query_size", std::string(kSqlBytesMax)},
          {"max_ast_elements", std::string(kSqlPartsMax)},
          {"max_expanded_ast_elements", std::string(kSqlPartsMax)},
          {"max_ast_depth", std::string(kSqlDepthMax)},
          {"max_parser_depth", std::string(kSqlDepthMax)},
          {"cancel_http_readonly_queries_on_client_close", "1"}};
}

Result<Table> HuntRun::select(std::string sql) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - std::chrono::steady_clock::now());
  const int64_t left_ms = std::max<int64_t>(0, left.count());
  const auto timed_out = "time limit of " + std::to_string(limits_.time_ms_max) + " ms";
  if (left_ms == 0) return fail(Errc::timeout, timed_out);
  if (limits_.cancelled && limits_.cancelled()) return fail(Errc::timeout, "cancelled");
  Call call{.sql = std::move(sql),
            .data = {},
            .settings = hunter_.settings(left_ms),
            .time_ms_max = left_ms,
            .cancelled = limits_.cancelled,
            .sink = {}};
  if (shard_missing_) call.settings.emplace_back("skip_unavailable_shards", "1");
  auto table = cluster_.select(call);
  if (!table && code_of(table.error()) == kAllConnectionTriesFailed && !shard_missing_) {
    shard_missing_ = true;
    why_partial_.emplace_back("a shard of ClickHouse does not answer");
    call.settings.emplace_back("skip_unavailable_shards", "1");
    table = cluster_.select(call);
  }
  return table;
}

bool HuntRun::stopped_by(const Error& error) {
  if (error.code == Errc::exhausted) {
    why_partial_.push_back("memory: " + error.message);
  } else if (error.code == Errc::timeout) {
    const bool cancelled = limits_.cancelled && limits_.cancelled();
    why_partial_.push_back(cancelled ? "cancelled" : "time limit of " + std::to_string(limits_.time_ms_max) + " ms");
  } else {
    return false;
  }
  return true;
}

void HuntRun::finish(HuntResult& result) const {
  result.partial = !why_partial_.empty();
  for (const std::string& why : why_partial_) result.partial_why += (result.partial_why.empty() ? "" : "; ") + why;
}

Result<HuntResult> Hunter::hunt(const query::Hunt& hunt, const HuntLimits& limits) {
  HuntRun run(cluster_, *this, limits);
  if (std::holds_alternative<std::monostate>(hunt.aggregate)) return find_events(run, hunt);
  return figures(run, std::visit(FigureColumns{}, hunt.aggregate),
                 query::sql::select(hunt, kEventsTable, Dialect::clickhouse).text);
}

Result<HuntResult> Hunter::histogram(const query::Hunt& hunt, int64_t width_us, const HuntLimits& limits) {
  HuntRun run(cluster_, *this, limits);
  return figures(run, FigureColumns::named({"bucket", "count"}),
                 query::sql::histogram(hunt, width_us, kEventsTable, Dialect::clickhouse).text);
}

}  // namespace redoubt::store::clickhouse
