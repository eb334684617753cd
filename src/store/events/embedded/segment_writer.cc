#include "store/events/embedded/segment_writer.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/file.h"
#include "base/time.h"
#include "store/events/embedded/parquet_writer.h"
#include "store/events/embedded/segment_index.h"
#include "store/events/plan.h"
#include "store/file_checksum.h"

namespace redoubt::store::embedded {

namespace {

// Small enough that a needle costs little to fetch, large enough to compress well.
constexpr uint32_t kRowGroupRows = 8192;
// Distinct values of a row group up to which a column has a dictionary: command lines do, paths of files do not gain.
constexpr uint32_t kDictionaryMax = kRowGroupRows * 2 / 5;
constexpr ParquetShape kShape{.group_rows = kRowGroupRows, .dictionary_values_max = kDictionaryMax};

std::string column_list(const event::FieldSet& fields) {
  std::string list;
  for (const event::FieldInfo& info : event::kFields) {
    if (has_field(fields, info.field)) list += (list.empty() ? "" : " ") + std::string(info.column);
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

struct Key {
  uint32_t host;
  uint32_t row;
  uint32_t parent;
  uint32_t process;
  int64_t time_us;
  int64_t sequence;
};

// Events of a process say much that is the same of it and of its parent, which takes little room in one place.
void sort_by_process(std::span<Key> keys) {
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return std::tie(a.parent, a.process, a.time_us, a.sequence, a.row) <
           std::tie(b.parent, b.process, b.time_us, b.sequence, b.row);
  });
}

SegmentInfo describe(const Memtable& table, const std::vector<uint32_t>& rows, uint64_t number) {
  SegmentInfo info{.number = number, .rows = rows.size()};
  info.min_time_us = info.max_time_us = table.number(rows.front(), event::Field::event_time);
  for (const uint32_t row : rows) {
    const int64_t time_us = table.number(row, event::Field::event_time);
    info.min_time_us = std::min(info.min_time_us, time_us);
    info.max_time_us = std::max(info.max_time_us, time_us);
  }
  info.columns = column_list(table.fields(table.rows()));
  return info;
}

// Under its name when it is whole; its size and checksum.
Result<FileChecksum> write_rows(const Memtable& table, const std::vector<uint32_t>& rows, const std::string& path) {
  const std::string unfinished = path + ".tmp";
  TRY_STATUS(write_parquet(table, rows, table.fields(table.rows()), kShape, unfinished));
  TRY(const FileChecksum sum, checksum_of_file(unfinished));
  if (rename(unfinished.c_str(), path.c_str()) != 0) return base::fail_errno("rename " + unfinished);
  TRY_STATUS(base::sync_directory(std::filesystem::path(path).parent_path().string()));
  return sum;
}

}  // namespace

std::vector<uint32_t> sorted_rows(const Memtable& table, std::vector<uint32_t> rows) {
  const std::vector<uint32_t> ranks = host_ranks(table, rows);
  std::vector<Key> keys;
  keys.reserve(rows.size());
  for (const uint32_t row : rows) {
    keys.push_back({.host = ranks[table.text_number(row, event::Field::host_id)],
                    .row = row,
                    .parent = table.text_number(row, event::Field::process_parent_entity_id),
                    .process = table.text_number(row, event::Field::process_entity_id),
                    .time_us = table.number(row, event::Field::event_time),
                    .sequence = table.number(row, event::Field::event_sequence)});
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return std::tie(a.host, a.time_us, a.sequence, a.row) < std::tie(b.host, b.time_us, b.sequence, b.row);
  });
  for (size_t at = 0; at < keys.size();) {
    const auto begin = keys.begin() + static_cast<std::ptrdiff_t>(at);
    const auto most = begin + static_cast<std::ptrdiff_t>(std::min<size_t>(kRowGroupRows, keys.size() - at));
    const auto end = std::find_if(begin, most, [&](const Key& key) { return key.host != begin->host; });
    sort_by_process({begin, end});
    at += static_cast<size_t>(end - begin);
  }
  for (size_t i = 0; i < keys.size(); ++i) rows[i] = keys[i].row;
  return rows;
}

std::string index_path(const std::string& segment_path) {
  return std::filesystem::path(segment_path).replace_extension(".index").string();
}

Result<SegmentInfo> write_segment(const Memtable& table, const std::vector<uint32_t>& rows, uint64_t number,
                                  const std::string& path) {
  CHECK(!rows.empty());
  SegmentInfo info = describe(table, rows, number);
  const std::string index = make_index(table, rows, kRowGroupRows);
  info.index_bytes = index.size();
  TRY_STATUS(base::write_file_atomic(index_path(path), index, base::kPrivateFile));
  TRY(const FileChecksum written, write_rows(table, rows, path));
  info.bytes = written.bytes;
  info.checksum = written.checksum;
  info.sealed_us = base::Time::now().us;
  return info;
}

}  // namespace redoubt::store::embedded
