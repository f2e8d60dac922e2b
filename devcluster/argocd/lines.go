package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
)

// answer is what one line of the output says: the result, or why there is none.
type answer struct {
	Result any     `json:"result"`
	Error  *string `json:"error"`
}

// answerLines reads one JSON value after the other and answers each on a line of its own.
func answerLines(judge func(json.RawMessage) (any, error)) error {
	input, output := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var question json.RawMessage
		if err := input.Decode(&question); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		result, err := judge(question)
		said := answer{Result: result}
		if err != nil {
			text := err.Error()
			said = answer{Error: &text}
		}
		if err := output.Encode(said); err != nil {
			return err
		}
	}
}
