#include "store/events/embedded/memtable.h"

#include <algorithm>
#include <utility>

#include "event/json.h"

namespace redoubt::store::embedded {

namespace {

constexpr size_t kBatchTextsMax = 1'000'000;  // remembered by their number

constexpr uint32_t kToNumber = 1;  // in their place, before they have one

// Whether what a text of a batch is here is kept by its number there.
bool is_remembered(const event::Value& value) {
  return value.text_number() != event::kNoTextNumber && value.text_number() < kBatchTextsMax;
}

bool fits(event::Field field, const event::Value& value) {
  return value.present() && value.is_text() == event::is_textual(event::info(field).type);
}

}  // namespace

// A column is there from its first value on; readers of rows before that see either none or one of absent values.
struct Memtable::Block {
  std::array<std::atomic<void*>, event::kFieldCount> columns{};

  Block() = default;
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block() {
    for (const event::FieldInfo& info : event::kFields) {
      void* column = columns[static_cast<size_t>(info.field)];
      if (event::is_textual(info.type)) {
        delete static_cast<TextColumn*>(column);
      } else {
        delete static_cast<NumberColumn*>(column);
      }
    }
  }
};

Memtable::Memtable() : blocks_(std::make_unique<std::unique_ptr<Block>[]>(kMemtableRowsMax / kBlockRows)) {}
Memtable::~Memtable() = default;

template <class Column>
Column& Memtable::column(event::Field field) {
  auto& block = blocks_[rows_ / kBlockRows];
  if (!block) {
    block = std::make_unique<Block>();
    bytes_ += sizeof(Block);
  }
  std::atomic<void*>& place = block->columns[static_cast<size_t>(field)];
  void* column = place.load(std::memory_order_relaxed);
  if (column == nullptr) {
    column = new Column();
    bytes_ += sizeof(Column);
    place.store(column, std::memory_order_release);
  }
  return *static_cast<Column*>(column);
}

void Memtable::begin(std::string_view host_id, std::string_view boot_id, const event::Batch& batch) {
  host_ = texts_.number(host_id);
  boot_ = texts_.number(boot_id);
  number_texts(batch);
}

// Equal texts of a batch are looked up once.
void Memtable::number_texts(const event::Batch& batch) {
  batch_texts_.clear();
  texts_to_number_.clear();
  numbers_in_batch_.clear();
  for (size_t i = 0; i < batch.size(); ++i) {
    batch.row(i).for_each([&](event::Field field, const event::Value& value) {
      if (!fits(field, value) || !value.is_text() || !is_remembered(value)) return;
      const uint32_t in_batch = value.text_number();
      if (in_batch >= batch_texts_.size()) batch_texts_.resize(std::max<size_t>(in_batch + 1, batch_texts_.size() * 2));
      if (std::exchange(batch_texts_[in_batch], kToNumber) == kToNumber) return;
      texts_to_number_.push_back(value.text());
      numbers_in_batch_.push_back(in_batch);
    });
  }
  numbers_.resize(texts_to_number_.size());
  texts_.number(texts_to_number_, numbers_);
  for (size_t i = 0; i < numbers_.size(); ++i) batch_texts_[numbers_in_batch_[i]] = numbers_[i];
}

uint32_t Memtable::number_of(event::Value value) {
  return is_remembered(value) ? batch_texts_[value.text_number()] : texts_.number(value.text());
}

void Memtable::add(const event::Row& row) {
  const size_t at = rows_ % kBlockRows;
  row.for_each([&](event::Field field, const event::Value& value) {
    if (!fits(field, value)) return;
    if (value.is_text()) {
      column<TextColumn>(field).texts[at] = number_of(value);
    } else {
      put(field, value.integer());
    }
  });
  if (!row.attributes().empty()) put(event::Field::attributes, event::attributes_to_json(row));
  column<TextColumn>(event::Field::host_id).texts[at] = host_;
  column<TextColumn>(event::Field::host_boot_id).texts[at] = boot_;
  finish_row();
}

void Memtable::put(event::Field field, std::string_view text) {
  column<TextColumn>(field).texts[rows_ % kBlockRows] = texts_.number(text);
}

void Memtable::put(event::Field field, int64_t number) {
  auto& numbers = column<NumberColumn>(field);
  numbers.numbers[rows_ % kBlockRows] = number;
  numbers.present[rows_ % kBlockRows] = true;
}

const TextColumn* Memtable::texts(size_t block, event::Field field) const {
  return static_cast<const TextColumn*>(
      blocks_[block]->columns[static_cast<size_t>(field)].load(std::memory_order_acquire));
}

const NumberColumn* Memtable::numbers(size_t block, event::Field field) const {
  return static_cast<const NumberColumn*>(
      blocks_[block]->columns[static_cast<size_t>(field)].load(std::memory_order_acquire));
}

uint32_t Memtable::text_number(size_t row, event::Field field) const {
  const TextColumn* column = texts(row / kBlockRows, field);
  return column != nullptr ? column->texts[row % kBlockRows] : kNoText;
}

int64_t Memtable::number(size_t row, event::Field field) const {
  const NumberColumn* column = numbers(row / kBlockRows, field);
  return column != nullptr ? column->numbers[row % kBlockRows] : 0;
}

event::FieldSet Memtable::fields(size_t rows) const {
  event::FieldSet set{};
  for (size_t block = 0; block * kBlockRows < rows; ++block) {
    for (size_t field = 0; field < event::kFieldCount; ++field) {
      const bool there = blocks_[block]->columns[field].load(std::memory_order_acquire) != nullptr;
      if (there) set[field / 64] |= uint64_t{1} << (field % 64);
    }
  }
  return set;
}

}  // namespace redoubt::store::embedded
