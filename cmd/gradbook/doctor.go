package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/gradbook/gradbook/kernel/install"
)

func doctorCmd() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is installed, which device is used, and what is wrong",
		Long: `Doctor looks at everything that notebooks need and changes nothing. For what is
wrong it names the command that mends it, and exits with 1.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := layout()
			if err != nil {
				return err
			}
			findings := install.Examine(cmd.Context(), l)
			wrong := 0
			for _, f := range findings {
				if !f.OK {
					wrong++
				}
			}
			w := cmd.OutOrStdout()
			if asJSON {
				e := json.NewEncoder(w)
				e.SetIndent("", "  ")
				if err := e.Encode(findings); err != nil {
					return err
				}
			} else {
				for _, f := range findings {
					mark := "✓"
					if !f.OK {
						mark = "✗"
					}
					fmt.Fprintf(w, "%s %-13s %s\n", mark, f.What, f.Is)
					if f.Mend != "" {
						fmt.Fprintf(w, "  %-13s → %s\n", "", f.Mend)
					}
				}
			}
			if wrong > 0 {
				return exitError(1)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}
