#include "store/events/clickhouse/block.h"

#include "base/varint.h"
#include "event/json.h"
#include "query/sql/clickhouse_row.h"
#include "store/events/clickhouse/schema.h"

namespace redoubt::store::clickhouse {

namespace {

namespace sql = query::sql;

template <class Number>
void put_fixed(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof number);
}

void put_string(std::string& out, std::string_view text) {
  base::put_varint(out, text.size());
  out.append(text);
}

void put_strings(std::string& out, const std::vector<std::string>& texts) {
  base::put_varint(out, texts.size());
  for (const std::string& text : texts) put_string(out, text);
}

// One row after the other, in the order of schema_columns().
class RowWriter {
 public:
  RowWriter(const BlockHead& head, const BootKey& key) : head_(head), key_(key) {}

  int64_t day_of(const event::Row& row) const {
    return sql::day_of_row(row.integer(event::Field::event_time), head_.received_day);
  }

  void write(const event::Row& row, std::string& out) {
    put_fixed(out, static_cast<uint16_t>(day_of(row)));
    put_fixed(out, head_.node);
    put_fixed(out, head_.number);
    fold_fields_.clear();
    fold_texts_.clear();
    for (const event::FieldInfo& info : event::kFields) put_field(row, info, out);
    for (const event::FieldInfo& info : event::kFields) {
      if (info.type == event::FieldType::ip) put_string(out, sql::address_key(row.text(info.field)));
    }
    base::put_varint(out, fold_fields_.size());
    for (const uint16_t number : fold_fields_) put_fixed(out, number);
    put_strings(out, fold_texts_);
    put_attributes(row, out);
  }

 private:
  void put_field(const event::Row& row, const event::FieldInfo& info, std::string& out) {
    switch (info.field) {
      case event::Field::host_id: put_text(info, key_.first, out); return;
      case event::Field::host_boot_id: put_text(info, key_.second, out); return;
      case event::Field::event_time:
      case event::Field::event_sequence: put_fixed(out, row.integer(info.field)); return;
      default: break;
    }
    const bool is_attributes = info.field == event::Field::attributes && !row.attributes().empty();
    const std::string json = is_attributes ? event::attributes_to_json(row) : std::string();
    const event::Value value = is_attributes ? event::Value::of_text(json) : row.get(info.field);
    const bool fits = value.present() && value.is_text() == event::is_textual(info.type);
    out += fits ? '\0' : '\1';
    if (!fits) return;
    if (value.is_text()) {
      put_text(info, value.text(), out);
    } else {
      put_fixed(out, value.integer());
    }
  }

  void put_text(const event::FieldInfo& info, std::string_view text, std::string& out) {
    put_string(out, text);
    if (sql::fold_beside_lower(text, folded_) == sql::Folding::as_lower) return;
    fold_fields_.push_back(static_cast<uint16_t>(info.number));
    fold_texts_.push_back(folded_);
  }

  void put_attributes(const event::Row& row, std::string& out) {
    std::vector<std::string> names, values, folds, keys;
    for (const event::Attribute& attribute : row.attributes()) {
      names.emplace_back(row.attribute_name(attribute));
      values.emplace_back(attribute.value);
      const bool as_lower = sql::fold_beside_lower(attribute.value, folded_) == sql::Folding::as_lower;
      folds.push_back(as_lower ? "" : folded_);
      keys.push_back(sql::address_key(attribute.value));
    }
    for (const auto* texts : {&names, &values, &folds, &keys}) put_strings(out, *texts);
  }

  const BlockHead& head_;
  const BootKey& key_;
  std::string folded_;
  std::vector<uint16_t> fold_fields_;
  std::vector<std::string> fold_texts_;
};

}  // namespace

BlockMaker::BlockMaker(const Cluster& cluster, const BlockHead& head, const Sent& before)
    : cluster_(cluster), head_(head), before_(before), shards_(cluster.shards().size()) {}

void BlockMaker::add(const SpooledFrame& frame) {
  const BootKey key{frame.host_id, frame.frame.boot_id};
  if (const auto known = before_.sequences.find(key); known != before_.sequences.end()) {
    changed_.sequences.insert(*known);
  }
  if (const auto known = before_.hosts.find(key.first); known != before_.hosts.end()) changed_.hosts.insert(*known);
  uint64_t& sequence = changed_.sequences[key];
  if (frame.frame.last_sequence <= sequence) return;
  const auto batch = decode_spooled(frame);
  if (!batch) return;
  HostActivity& host = changed_.hosts[key.first];
  host.host_id = key.first;
  ShardRows& shard = shards_[cluster_.shard_of(key.first)];
  RowWriter writer(head_, key);
  for (size_t i = 0; i < batch->size(); ++i) {
    const event::Row row = batch->row(i);
    const auto number = static_cast<uint64_t>(row.integer(event::Field::event_sequence));
    if (number <= sequence) continue;
    sequence = number;
    const int64_t day = writer.day_of(row);
    writer.write(row, shard.by_day[day]);
    ++shard.counts[day];
    count_row(row, host);
  }
}

std::string column_names() {
  std::string names;
  for (const SchemaColumn& column : schema_columns()) names += (names.empty() ? "" : ", ") + column.name;
  return names;
}

}  // namespace redoubt::store::clickhouse
