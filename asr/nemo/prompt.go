package nemo

import (
	"cmp"
	"encoding/json"

	"github.com/holdfast-go/holdfast/asr"
)

// prompt is what the model is told with an utterance; empty where it takes
// nothing. What the entry says counts most, then its language, then the
// configuration.
func (t *Transcriber) prompt(u asr.Utterance) map[string]string {
	prompt := map[string]string{}
	s := t.model.settings
	for _, name := range s.fields() {
		if value := field(u, name); value != "" {
			prompt[name] = value
		}
	}
	language := cmp.Or(u.Language, t.config.Language)
	switch {
	case s.asksForLanguage():
		fill(prompt, "target_lang", language) // without one the model decides
	case s.attentionDecoder():
		// It must be told both languages; it cannot detect them.
		fill(prompt, "source_lang", cmp.Or(language, "en"))
		fill(prompt, "target_lang", prompt["source_lang"])
		fill(prompt, "pnc", "yes") // punctuation and capitals, as NeMo itself fills in
	}
	if s.attentionDecoder() && s.prompt == "canary" {
		fill(prompt, "task", prompt["taskname"]) // the manifest's name for it
		task := "asr"
		if prompt["source_lang"] != prompt["target_lang"] {
			task = "s2t_translation"
		}
		fill(prompt, "task", task)
		delete(prompt, "taskname")
	}
	return prompt
}

func fill(prompt map[string]string, name, value string) {
	if prompt[name] == "" && value != "" {
		prompt[name] = value
	}
}

// field is a field of the utterance's entry as a prompt has it: text, or yes
// and no for a truth value.
func field(u asr.Utterance, name string) string {
	raw, ok := u.Source.Extra.Get(name)
	if !ok {
		return ""
	}
	var value any
	if json.Unmarshal(raw, &value) != nil {
		return ""
	}
	switch value := value.(type) {
	case string:
		return value
	case bool:
		if value {
			return "yes"
		}
		return "no"
	}
	return ""
}
