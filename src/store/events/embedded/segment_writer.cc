#include "store/events/embedded/segment_writer.h"

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <filesystem>

#include "base/file.h"
#include "base/time.h"
#include "store/events/plan.h"

namespace redoubt::store::embedded {

namespace {

constexpr int kRowGroupRows = 122'880;

Status sync_file(const std::string& path) {
  const base::UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd || fsync(fd.get()) != 0) return base::fail_errno("sync " + path);
  return {};
}

std::string column_list(const event::FieldSet& fields, std::string_view glue) {
  std::string list;
  for (const event::FieldInfo& info : event::kFields) {
    if (has_field(fields, info.field)) list += (list.empty() ? "" : std::string(glue)) + std::string(info.column);
  }
  return list;
}

// The places of the hosts among the rows when they are ordered by their id, by the number of its text.
std::vector<uint32_t> host_ranks(const Memtable& table, const std::vector<uint32_t>& rows) {
  std::vector<uint32_t> hosts;
  for (const uint32_t row : rows) hosts.push_back(table.text_number(row, event::Field::host_id));
  std::sort(hosts.begin(), hosts.end());
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  std::sort(hosts.begin(), hosts.end(),
            [&](uint32_t a, uint32_t b) { return table.text_table().text(a) < table.text_table().text(b); });
  std::vector<uint32_t> ranks(table.text_table().size());
  for (uint32_t rank = 0; rank < hosts.size(); ++rank) ranks[hosts[rank]] = rank;
  return ranks;
}

}  // namespace

std::vector<uint32_t> sorted_rows(const Memtable& table, std::vector<uint32_t> rows) {
  struct Key {
    uint32_t host;
    uint32_t row;
    int64_t time_us;
    int64_t sequence;
  };
  const std::vector<uint32_t> ranks = host_ranks(table, rows);
  std::vector<Key> keys;
  keys.reserve(rows.size());
  for (const uint32_t row : rows) {
    keys.push_back({.host = ranks[table.text_number(row, event::Field::host_id)],
                    .row = row,
                    .time_us = table.number(row, event::Field::event_time),
                    .sequence = table.number(row, event::Field::event_sequence)});
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return std::tie(a.host, a.time_us, a.sequence, a.row) < std::tie(b.host, b.time_us, b.sequence, b.row);
  });
  for (size_t i = 0; i < keys.size(); ++i) rows[i] = keys[i].row;
  return rows;
}

// DuckDB neither syncs nor renames.
Result<SegmentInfo> write_segment(Duck& duck, ShownRows rows, uint64_t number, const std::string& path) {
  CHECK(!rows.order.empty());
  const Memtable& table = *rows.table;
  SegmentInfo info{.number = number, .rows = rows.order.size()};
  info.min_time_us = info.max_time_us = table.number(rows.order.front(), event::Field::event_time);
  for (const uint32_t row : rows.order) {
    const int64_t time_us = table.number(row, event::Field::event_time);
    info.min_time_us = std::min(info.min_time_us, time_us);
    info.max_time_us = std::max(info.max_time_us, time_us);
  }
  const event::FieldSet fields = table.fields(rows.rows);
  info.columns = column_list(fields, " ");
  const std::string unfinished = path + ".tmp";
  TRY(const auto session, duck.connect());
  const auto shown = duck.show(std::move(rows));
  TRY_STATUS(session->run("COPY (SELECT " + column_list(fields, ", ") + " FROM " + shown->name() + ") TO " +
                          sql_quoted(unfinished) + " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE " +
                          std::to_string(kRowGroupRows) + ")"));
  TRY_STATUS(sync_file(unfinished));
  std::error_code error;
  std::filesystem::permissions(unfinished, std::filesystem::perms(base::kPrivateFile), error);
  info.bytes = std::filesystem::file_size(unfinished, error);
  if (error || rename(unfinished.c_str(), path.c_str()) != 0) return base::fail_errno("rename " + unfinished);
  info.sealed_us = base::Time::now().us;
  TRY_STATUS(base::sync_directory(std::filesystem::path(path).parent_path().string()));
  return info;
}

}  // namespace redoubt::store::embedded
