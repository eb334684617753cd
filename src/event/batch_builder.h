// Makes a batch in memory from events that did not come as frames: records of other programs, rows of tests. Texts are
// copied once into the batch. One thread.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "event/batch.h"

namespace redoubt::event {

class BatchBuilder {
 public:
  BatchBuilder();
  ~BatchBuilder();
  BatchBuilder(const BatchBuilder&) = delete;
  BatchBuilder& operator=(const BatchBuilder&) = delete;

  // The fields of one event, in any order, each at most once; then finish_event(). A text is valid UTF-8; of one that
  // is longer than kTextBytesMax the beginning is kept.
  void set(Field field, std::string_view text);
  void set(Field field, int64_t number);
  bool has(Field field) const;
  // "" where the field has no text.
  std::string_view text(Field field) const;
  // At most kAttributesMax of one event and kAttributeNamesMax names of one batch are kept, and of one name in one
  // event the first: false where one is not.
  bool add_attribute(std::string_view name, std::string_view value);
  void finish_event(EventType type);
  // Forgets what was set since the last finish_event().
  void drop_event();

  size_t size() const { return batch_.size(); }
  // What was finished, at most kBatchEventsMax events; the builder is empty afterwards.
  Batch take();

 private:
  // What stays of a name when a batch is taken, and what it is in the batch in hand.
  struct Name {
    std::string_view text;
    uint32_t follower = 0;      // the one that came behind it last
    uint32_t number = 0;        // in the latest batch that has it
    uint64_t batch = 0;         // that one
    uint64_t latest_event = 0;  // that has it
  };

  TextNumbers::Numbered keep(std::string_view text);
  Name* find_name(std::string_view text);
  void forget_names();

  Batch batch_;
  std::array<Value, kFieldCount> values_{};
  FieldSet present_{};
  size_t attributes_before_ = 0;
  TextNumbers texts_;
  std::vector<Name> names_;
  std::unordered_map<std::string_view, uint32_t> places_;  // of names, by text
  TextBlocks name_texts_;
  uint32_t last_name_ = 0;  // its place
  uint64_t batch_number_ = 1;
  uint64_t event_number_ = 1;  // of the event in hand
};

}  // namespace redoubt::event
