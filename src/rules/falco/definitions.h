// What the items of Falco files define, after appends and overrides, before any condition is read. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "rules/falco/load_result.h"

namespace redoubt::rules::falco {

// Order of the first definition, and of the newest: a macro is seen by what is defined after it.
struct Defined {
  std::string name;
  std::string path;
  Place place;
  size_t index = 0;
  size_t visibility = 0;
};

struct ListDefinition : Defined {
  std::vector<std::string> items;
};

struct MacroDefinition : Defined {
  std::string condition;
};

// One value of a row, or a list of them.
using ExceptionValue = std::vector<std::string>;

struct ExceptionDefinition {
  std::string name;
  enum class Form : uint8_t { one_field, several_fields } form = Form::one_field;
  std::vector<std::string> fields;
  std::vector<std::string> comparisons;
  std::vector<std::vector<ExceptionValue>> rows;  // one_field: one value a row
};

enum class Priority : uint8_t { emergency, alert, critical, error, warning, notice, informational, debug };
enum class Answer : uint8_t { no, yes };

struct RuleDefinition : Defined {
  std::string condition;
  std::string output;
  std::string description;
  std::string source = "syscall";
  Priority priority = Priority::debug;
  Answer enabled = Answer::yes;
  Answer warn_event_types = Answer::yes;
  Answer skip_unknown_filter = Answer::no;
  std::vector<std::string> tags;
  std::vector<ExceptionDefinition> exceptions;
};

template <class Item>
class DefinitionTable {
 public:
  Item* find(const std::string& name) {
    const auto found = positions_.find(name);
    return found == positions_.end() ? nullptr : &items_[found->second];
  }
  const Item* find(const std::string& name) const {
    const auto found = positions_.find(name);
    return found == positions_.end() ? nullptr : &items_[found->second];
  }
  // Content is replaced; the place in the order stays.
  void define(Item item) {
    if (Item* earlier = find(item.name)) {
      item.index = earlier->index;
      *earlier = std::move(item);
    } else {
      positions_.emplace(item.name, items_.size());
      items_.push_back(std::move(item));
    }
  }
  const std::vector<Item>& items() const { return items_; }

 private:
  std::vector<Item> items_;
  std::map<std::string, size_t> positions_;
};

struct Definitions {
  DefinitionTable<ListDefinition> lists;
  DefinitionTable<MacroDefinition> macros;
  DefinitionTable<RuleDefinition> rules;
  size_t next_index = 0;
};

}  // namespace redoubt::rules::falco
